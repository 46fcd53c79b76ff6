"""What attacks on an assistant say, as weighted patterns by family; the weight is how surely one alone tells."""

_RULES = (
    r"(?:instruction|direction|directive|guideline|rule|prompt|polic(?:y|ies)|programming|guardrail|"
    r"restriction|safeguard|command|training|constraint|filter)s?"
)
_EARLIER = (
    r"(?:previous|prior|above|earlier|preceding|foregoing|initial|original|existing|current|system|safety|"
    r"content|ethical|openai)"
)
_MODEL = r"(?:chatgpt|gpt(?:-?\d)?|ai|assistant|chatbot|bot|language model|llm|openai|model|claude|gemini)"
_HIDDEN = r"(?:system|initial|starting|original|hidden|secret|internal|developer|initiali[sz]ation|pre-?|base|first)"
_TOLD = r"(?:prompt|instructions?|message|configuration|rules|guidelines|directives?|string|settings)"

FAMILIES: dict[str, tuple[tuple[float, str], ...]] = {
    "override": (
        (
            0.9,
            rf"\b(?:ignor|disregard|forget|overrid|bypass|neglect|discard|skip)\w*\b[^.\n]{{0,30}}\b(?:{_EARLIER}|"
            rf"all(?: of)?(?: the| your| my)?|any|your|the|these|those|its|every)\s+(?:\w+\s+){{0,2}}{_RULES}\b",
        ),
        (
            0.9,
            r"\b(?:ignore|disregard|forget)\b[^.\n]{0,20}\b(?:everything|anything|all|"
            r"what(?:ever)?)\b[^.\n]{0,25}\b(?:above|before|said|told|previous(?:ly)?|prior|learned|know)\b",
        ),
        (
            0.7,
            r"\b(?:not|never|no longer|stop|without)\b[^.\n]{0,25}\b(?:bound|follow|following|obey|obeying|"
            rf"adher\w+|restricted|constrained|limited|subject|comply\w*)\b[^.\n]{{0,30}}\b(?:{_RULES}|ethic\w*|"
            r"moral\w*|openai|censor\w*)",
        ),
        (0.6, r"\b(?:new|updated|real|actual) (?:system )?(?:instructions?|prompt|directives?)\s*(?::|are\b|from\b)"),
        (0.7, r"\b(?:admin(?:istrator)?|developer|root|sudo|god|system)[ -](?:override|access granted|privileges)\b"),
        (
            0.6,
            r"\b(?:disable|turn off|remove|deactivate|switch off|lift)\b[^.\n]{0,20}\b(?:your|all|the|"
            r"any)\b[^.\n]{0,20}\b(?:safety|guardrails?|filters?|restrictions|safeguards|censorship|"
            r"content policy|moderation|logging|audit)\b",
        ),
        (0.4, r"\bfrom now on\b[^.\n]{0,40}\b(?:you|your|act|answer|respond|always)\b"),
    ),
    "persona": (
        (
            0.9,
            r"\bdo anything now\b|\b[DS]AN mode\b|\b(?:as|are|be|is|act as|acting as|called|"
            r"named) (?:a )?(?-i:DAN|STAN|DUDE|AIM|MONGO|EvilBOT|AntiGPT|BetterDAN)\b",
        ),
        (
            0.8,
            r"\b(?:developer|jailbr\w+|debug|maintenance|god|unrestricted|unfiltered|opposite|evil|dan|sudo|chaos|"
            r"dev)[ -]mode\b[^.\n]{0,40}\b(?:enabled|activated|output|on|response|display|show|now|you|"
            r"answer)\b|\b(?:enable|activate|enter|in|into|with) (?:the )?(?:developer|jailbreak|god|unrestricted|"
            r"unfiltered|evil|dan|sudo|dev) mode\b",
        ),
        (
            0.7,
            r"\byou (?:are|will be|are now|must be) (?:now |going to be )?(?:an? |"
            r"the )?(?:\w+ ){0,3}(?:unfiltered|uncensored|unrestricted|amoral|immoral|unethical|evil|jailbroken|"
            r"rogue|malicious|unlimited|lawless|unbound)\b",
        ),
        (
            0.5,
            r"\b(?:pretend|act|behave|imagine|roleplay|role[- ]play|simulate|respond|"
            r"impersonat\w+)\b[^.\n]{0,30}\b(?:you are|you're|you were|to be|as if|as an? |as the |like|as)\b",
        ),
        (
            0.4,
            r"\byou are (?:now )?(?:going to )?(?:act|pretend|play|be playing|roleplay|simulat\w+|imitat\w+|"
            r"no longer)\b|\byou (?:will|must|shall|should) (?:now )?(?:act|pretend|play|roleplay|simulate|embody|"
            r"take on|assume|become|impersonate|imitate)\b",
        ),
        (
            0.4,
            r"\b(?:stay|remain|keep) in (?:the )?character\b|\b(?:break|breaking|out of) (?:the )?character\b|"
            r"\bi (?:want|need|would like) you to (?:act|pretend|play|be|become|roleplay|simulate|imitate|respond|"
            r"answer|ignore)\b",
        ),
        (
            0.3,
            r"\b(?:hypothetical|fictional|imaginary|alternate|parallel)\b[^.\n]{0,30}\b(?:world|scenario|universe|"
            r"story|dialogue|conversation|character|ai|response)\b",
        ),
        (
            0.3,
            r"\blet'?s play a game\b|\byou are (?:now )?an? (?:\w+ ){0,3}(?:character|persona|ai|bot|chatbot|"
            r"language model|expert|terminal|interpreter|generator|machine)\b|\byour (?:new )?(?:name|role|"
            r"persona|task|job) (?:is|will be)\b",
        ),
    ),
    "unbound": (
        (
            0.7,
            r"\b(?:no|without|free (?:of|from)|lacks?|zero|any)\b[^.\n]{0,25}\b(?:ethical|moral|legal|content|"
            r"safety)\b[^.\n]{0,25}\b(?:guidelines?|restrictions?|limitations?|constraints?|filters?|boundar\w+|"
            r"considerations?|standards|principles|polic\w+)\b",
        ),
        (
            0.6,
            r"\b(?:no|without|free (?:of|from)|any)\s+(?:\w+ ){0,2}(?:restrictions?|limitations?|censorship|"
            r"filters?|warnings? or|disclaimers?|moral\w*|ethic\w*)\b[^.\n]{0,60}\b(?:answer|respond|response|ai|"
            r"openai|chatgpt|you|generate|content|do anything)\b",
        ),
        (
            0.6,
            r"\bbroken free\b|\b(?:un|non-?)(?:filtered|censored|restricted|moderated)\b[^.\n]{0,25}\b(?:ai|"
            r"response|answer|output|content|chatbot|version|model)\b|\b(?:jailbreak|"
            r"jailbroken)\b[^.\n]{0,30}\b(?:you|yourself|prompt|chatgpt|ai|mode|gpt|output)\b",
        ),
        (
            0.5,
            r"\b(?:never|not|don'?t|cannot|can'?t|won'?t|without)\b[^.\n]{0,20}\b(?:refus\w+|declin\w+|"
            r"say(?:ing)? (?:no|that you)|apologi[sz]\w+|mention\w*|warn\w*|"
            r"disclaim\w*)\b[^.\n]{0,60}\b(?:request|question|ai|prompt|answer|anything|language model|openai|"
            r"illegal|unethical|ethic\w*|warning|user|harmful|polic\w+)\b",
        ),
        (
            0.5,
            r"\b(?:regardless|even if|no matter)\b[^.\n]{0,40}\b(?:illegal|unethical|immoral|harmful|legality|"
            r"moral\w*|ethic\w*|dangerous|offensive|explicit)\b|\b(?:illegal|unethical|immoral|amoral|explicit|"
            r"offensive|harmful)\b[^.\n]{0,40}\b(?:unethical|immoral|illegal|harmful|toxic|offensive|content|"
            r"advice|dangerous)\b",
        ),
        (
            0.4,
            r"\bas an ai (?:language )?model\b|\bopenai'?s?\b[^.\n]{0,30}\b(?:polic\w+|guidelines?|rules|"
            r"restrictions?|content|limit\w*)\b|\bcontent polic\w+\b",
        ),
        (0.35, r"\b(?:chatgpt|chat gpt|gpt-?[34]|openai)\b"),
    ),
    "leak": (
        (
            0.9,
            r"\b(?:show|reveal|print|display|repeat|output|tell|give|share|dump|return|list|recite|leak|expose|"
            r"disclose|write|translate|encode|decode|summari[sz]e|convert|send|see|provide|echo|what(?:'s| is|"
            rf" are| was| were))\b[^.\n]{{0,50}}\b{_HIDDEN}[ _-]?{_TOLD}\b",
        ),
        (
            0.7,
            rf"\byour (?:\w+ )?(?:system|initial|hidden|secret|starting|original) {_TOLD}\b|"
            r"\bthe (?:system|initial|hidden|secret) (?:prompt|instructions?|message)\b|"
            r"\bsystem[ _]?prompt\b|\bsystemprompt\b|\b(?:your|its) (?:prompt|"
            r"instructions)\b[^.\n]{0,20}\b(?:verbatim|word for word|exactly|in full)\b",
        ),
        (
            0.9,
            r"\b(?:repeat|output|print|copy|show|reproduce|write|echo|recite|say|paste)\b[^.\n]{0,30}\b(?:text|"
            r"words?|everything|message|sentences?|conversation|prompt|content|all(?: of)? (?:this|"
            r"that))\b[^.\n]{0,30}\b(?:above|before this|so far|word for word|verbatim|prior to)\b|\b(?:repeat|"
            r"output|print|copy|reproduce|echo|recite|paste) (?:the |everything |all )?above\b",
        ),
        (
            0.9,
            r"\b(?:repeat|output|print|show|reveal|encode|recite|what (?:are|were|is|"
            r"was))\b[^.\n]{0,30}\b(?:instructions?|prompt|rules|text|directives?|"
            r"guidelines?)\b[^.\n]{0,25}\b(?:you (?:were|are|have been|got|received|had been) (?:given|told|"
            r"following|programmed)|given to you|at the (?:beginning|start))\b|\bgiven (?:at the )?initially\b",
        ),
        (
            0.8,
            r"\bwhat (?:were|have|had|was) (?:you|been) (?:been )?(?:told|instructed|programmed|given)\b|\b(?:i|"
            r"you) (?:was|were|am|are) (?:instructed|programmed|prompted) to\b|\bmy (?:instructions|system prompt|"
            r"guidelines) (?:are|is|say)\b|\bwhat (?:are|were) you (?:not supposed|not allowed|forbidden|told not|"
            r"hiding)\b",
        ),
        (
            0.7,
            r"\b(?:what|tell me|describe|show|list)\b[^.\n]{0,15}\byour (?:exact |full |own |secret |"
            r"current )?(?:prompt|instructions|guardrails|directives|system message)\b",
        ),
        (
            0.8,
            r"\b(?:show|reveal|print|display|repeat|output|tell|give|spell|leak|disclose|what(?:'s| is| was))\b"
            r"[^.\n]{0,40}\b(?:password|passphrase|secret|key|code ?word|flag|token)\b[^.\n]{0,20}\b(?:you (?:were|"
            r"have been|are) (?:given|told|hiding|protecting|guarding|supposed)|in your (?:context|instructions|prompt|"
            r"memory)|above)\b",
        ),
        (
            0.7,
            r"\b(?:what(?:'s| is| was)|tell me|say|give me|spell|reveal|whisper|print)\b[^.\n]{0,15}\b(?:the|your) "
            r"(?:passphrase|secret (?:key|word|code|phrase|password)|secret|password|code ?word|flag)\s*(?:[?!.,]|$)",
        ),
        (
            0.7,
            r"\b(?:which|what|list|show|name|describe|enumerate|reveal|output|dump)\b[^.\n]{0,30}\b(?:tools?|functions?|"
            r"apis?|plugins?)\b[^.\n]{0,30}\b(?:you (?:can |could |may )?(?:call|invoke|access|have access|"
            r"use internally)|available to you|schemas?|json|parameters|arguments|signatures?)\b|"
            r"\byour (?:tool|function) names\b|"
            r"\b(?:your|the) (?:tool|function)s? (?:schemas?|definitions?|signatures?|list)\b",
        ),
        (
            0.7,
            r"\bsystem configuration\b|\binitiali[sz]ation (?:string|text|message|prompt)\b|\b(?:console\.log|"
            r"print|echo)\s*\(\s*(?:system|prompt|instructions)",
        ),
    ),
    "exfiltration": (
        (
            0.8,
            r"\b(?:dump|export|list|select|show|print|give me|extract|download|leak)\b[^.\n]{0,30}\b(?:database|"
            r"all (?:the )?(?:records|rows|tables)|customer (?:data|records|list|"
            r"database)|api keys?|(?:all|the|user|users'?|customers?'?|stored|admin|their|everybody's) (?:\w+ )?"
            r"(?:passwords|credentials)|environment variables|source code)\b",
        ),
        (
            0.8,
            r"\bselect\b[^.\n]{0,40}\bfrom\b\s+\w+\s*(?:;|where\b|--)|\bdrop table\b|\bunion select\b|"
            r"'\s*or\s+'?1'?\s*=\s*'?1|;\s*(?:delete|update|insert)\s+\w+",
        ),
        (0.8, r"!\[[^\]\n]{0,100}\]\(\s*https?:|<\s*(?:script|img|iframe|svg|object)\b|javascript:"),
        (
            0.7,
            r"\b(?:send|post|forward|upload|exfiltrate|transmit)\b[^.\n]{0,50}\b(?:conversation|chat|history|data|"
            r"context|answers?|secrets?|balances?)\b[^.\n]{0,25}\bhttps?://",
        ),
        (
            0.7,
            r"\b(?:call|invoke|execute|run|use)\b[^.\n]{0,20}\b(?:tool|function|account_balances|"
            r"list_transactions|list_cards|list_holds|list_loans)\b[^.\n]{0,40}\b(?:customer|customer_id|user_id|"
            r"user|C-\d+|all|every)\b",
        ),
    ),
    "splitting": (
        (
            0.7,
            r"(?:\b[a-z]\w{0,9}\s?(?:=|:=)\s?[\"'][^\"'\n]{1,80}[\"'][;,.\s]{0,3}(?:and |let )?){2,8}[^\n]{0,120}"
            r"\b[a-z]\w{0,9}\s?\+\s?[a-z]",
        ),
        (
            0.6,
            r"\b(?:combine|concatenate|join|put together|assemble)\b[^.\n]{0,40}\b(?:parts?|pieces?|strings?|words|"
            r"variables?|letters|tokens?|fragments?)\b[^\n]{0,60}\b(?:execute|follow|obey|run|answer|do what|carry)\b",
        ),
    ),
    "tongue": (
        (
            0.9,
            r"\b(?:ignorier\w*|vergiss|vergessen sie|missachte|oublie[zr]?|ignore[zr]?|ignora|ignorar?|olvida|olvide|"
            r"dimentica|esque[cç]a|negeer|vergeet|zignoruj|zapomnij)\b[^.\n]{0,40}"
            r"(?:anweisung|instruktion|vorgabe|instructions? (?:pr[eé]c|ant|ci)|consigne|instrucciones|istruzion|"
            r"instru[cç][oõ]es|reglas|regole|regras|r[eè]gles|regeln|instructies|instrukcj)|"
            r"(?:игнорируй|забудь)[^.\n]{0,40}(?:инструкци|указани|правил)|önceki[^.\n]{0,30}talimat",
        ),
        (
            0.9,
            r"(?:忽略|无视|忘记|忽視|無視)[^。\n]{0,15}(?:指令|指示|规则|規則|提示)|指示[^。\n]{0,8}無視|"
            r"지시[^.\n]{0,10}무시|تجاهل[^.\n]{0,25}التعليمات|निर्देश[^।\n]{0,20}(?:अनदेखा|भूल)",
        ),
        (
            0.8,
            r"(?:\b(?:zeige?|nenne|verrate|affiche|donne|montre|muestra|revela|dime|rivela|mostra|mostre|toon)\b|"
            r"pokaż|покажи|раскрой)[^.\n]{0,40}(?:system-?prompt|systemprompt|message syst[eè]me|"
            r"prompt (?:del |de |di )?sistema|systeemprompt|prompt systemow|системный промпт|"
            r"geheime[ns]? (?:schl[uü]ssel|passwort|anweisung)|cl[eé] secr[eè]te|clave secreta|"
            r"instrucciones ocultas|parola segreta|senha secreta|секретн)",
        ),
        (
            0.8,
            r"(?:显示|告诉我|透露|输出)[^。\n]{0,12}(?:系统提示|秘密密码|密钥|系统消息)|"
            r"システムプロンプト|시스템 프롬프트",
        ),
    ),
    "fence": (
        (
            0.9,
            r"<\|?(?:im_start|im_end|system|endoftext|assistant|user)\|?>|\[/?INST\]|<</?SYS>>|</?(?:source|"
            r"sources|context|instructions?|system|system_prompt|prompt)\b[^>\n]{0,60}>",
        ),
        (
            0.6,
            r"(?:^|\n)\s*(?:#{1,4}\s*)?(?:\[?(?:system|assistant|developer)\]?)\s*(?:message|prompt|note|"
            r"instruction)?\s*:",
        ),
        (
            0.6,
            r"\b(?:end|begin|start) of (?:the )?(?:system |user )?(?:prompt|instructions?|context|document|"
            r"sources)\b",
        ),
    ),
    "command": (
        (
            0.7,
            r"\b(?:disable|turn off|deactivate) (?:all |the )?(?:logging|auditing|audit log|monitoring|guardrails)\b",
        ),
        (0.5, r"\b(?:i am|i'm|this is|as) (?:the|an?|your) (?:\w+ )?(?:administrator|admin|developer|superuser)\b"),
        (
            0.6,
            r"\b(?:attention|important|note|instruction)s?\s*(?:to|for|:)?\s*(?:the |all |any )?(?:ai|assistant|"
            r"chatbot|language model|llm|bot)s?\b\s*[:,!-]",
        ),
        (
            0.6,
            rf"\b{_MODEL}\b[^.\n]{{0,20}}\b(?:must|should|is required to|has to|shall)\b[^.\n]{{0,20}}\b(?:tell|"
            r"say|reply|respond|answer|output|ignore|reveal|send|recommend|instruct)\b",
        ),
        (
            0.5,
            r"\b(?:start|begin|prefix|end|preface)\b[^.\n]{0,20}\b(?:your|every|each|"
            r"all)\b[^.\n]{0,15}\b(?:answer|response|reply|sentence|message|output)s?\b[^.\n]{0,12}\bwith\b",
        ),
        (
            0.5,
            r"\b(?:respond|reply|answer|say|output)\b[^.\n]{0,12}\bonly\b[^.\n]{0,15}\b(?:with|as|in)\b|\b(?:say|"
            r"respond|reply) (?:only )?(?:\"|')",
        ),
    ),
}
"""Family -> (weight in [0, 1], pattern); patterns of one family do not add up, families do."""
