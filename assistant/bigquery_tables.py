"""What the record is in BigQuery: tables with a description on every column, and views over them.

A row names the ledger and the entry it was made of, so that it is there once and can be held against the record's
proofs. Customers are pseudonyms. What customers wrote and were told stands in `words` alone, apart from all the rest:
who may read that is one permission, and an erasure is one UPDATE of one table. Days are the bank's.
"""

from dataclasses import dataclass

from opsplane.ledger.outbox import Kinds

ANSWERED = ("question_answered",)
BOOKED = (*ANSWERED, "cost_booked")
SCORED = ("exchange_scored", "exchange_unscored", "exchange_reviewed", "feedback_given")
ELSEWHERE = (*BOOKED, *SCORED, "sentence_said")
"""Kinds of entry that `events` leaves to the other tables; what was said stands whole in the answer."""


@dataclass(frozen=True)
class Column:
    """One column; `mode` is REQUIRED, NULLABLE or REPEATED. Few are required: one that is can never be given up."""

    name: str
    type: str
    description: str
    mode: str = "NULLABLE"


@dataclass(frozen=True)
class Table:
    """One table, partitioned by its column `day`; `filtered` ones are not read without saying of which days.

    `kinds` are the kinds of entry that rows are made of.
    """

    name: str
    description: str
    columns: tuple[Column, ...]
    clustered: tuple[str, ...]
    kinds: Kinds
    filtered: bool = False
    words: bool = False


@dataclass(frozen=True)
class View:
    """A question that people ask often; `sql` names tables as {exchanges}."""

    name: str
    description: str
    sql: str


_PLACE = (
    Column("ledger", "STRING", "The record's own random name", "REQUIRED"),
    Column("seq", "INT64", "Number of the entry on the record that this row was made of", "REQUIRED"),
    Column("entry_hash", "STRING", "SHA-256 of that entry in hex, the leaf of the record's Merkle tree", "REQUIRED"),
    Column("day", "DATE", "The bank's calendar day; the partition", "REQUIRED"),
    Column("happened_at", "TIMESTAMP", "When it happened", "REQUIRED"),
)
_PART = Column("part", "INT64", "Number of the row among those of one entry, from 0", "REQUIRED")
_EXCHANGE = Column("exchange", "STRING", "Id of the turn; empty where it is about none")
_CUSTOMER = Column("customer", "STRING", "The customer's pseudonym, the same in every row; empty where there is none")
_RELEASE = (
    Column("release", "STRING", "Id of the release that answered"),
    Column("digest", "STRING", "SHA-256 of that release"),
)
_TOPIC = Column("topic", "STRING", "What it was about; empty where nobody looked")
_TOKENS = (
    Column("input_tokens", "INT64", "Tokens read by models"),
    Column("output_tokens", "INT64", "Tokens written by models, thinking included"),
    Column("cached_tokens", "INT64", "Tokens read out of a cache, a part of input_tokens"),
    Column("thinking_tokens", "INT64", "Tokens of thinking, a part of output_tokens"),
    Column("cost_micros", "INT64", "Cost in millionths of a US dollar"),
    Column("prices", "STRING", "Version of the price table it was worked out by"),
)

EXCHANGES = Table(
    "exchanges",
    "One row for each turn that ended: what served it, how it ended, what it cost. No customer's words.",
    (
        *_PLACE,
        Column("ended_at", "TIMESTAMP", "When the turn ended and was put on the record"),
        _EXCHANGE,
        Column("conversation", "STRING", "Id of the conversation"),
        _CUSTOMER,
        *_RELEASE,
        Column("arm", "STRING", "Side of a rollout that the customer was on"),
        Column("rollout", "STRING", "Id of that rollout; empty where there was none"),
        Column("share", "INT64", "How probable the candidate's side was, in ten-thousandths"),
        Column("outcome", "STRING", "How it ended: answered, replied, declined, abstained, failed or stopped"),
        Column("code", "STRING", "Reason code of a decline, reply or abstention"),
        _TOPIC,
        Column("tier", "STRING", "Class of the model that answered: flash or pro; empty where none was asked"),
        Column("model", "STRING", "The model that answered"),
        Column("region", "STRING", "The region it was asked in"),
        Column("route_reason", "STRING", "Why that model was asked"),
        Column("reroutes", "INT64", "How often another model had to take over"),
        Column("index_name", "STRING", "Index of documents that was searched"),
        Column("generation", "STRING", "Generation of that index"),
        *_TOKENS,
        Column("first_sentence_ms", "INT64", "Milliseconds to the first sentence shown; NULL where none was"),
        Column("total_ms", "INT64", "Milliseconds that the turn took"),
        Column("flags", "STRING", "Codes of what checks found, each once, in order of their codes", "REPEATED"),
        Column("withheld", "INT64", "Findings that kept a sentence from being shown"),
    ),
    ("release", "customer"),
    Kinds(ANSWERED),
)
WORDS = Table(
    "words",
    "What a customer asked and was told in a turn, masked. The only table with customers' words; an erasure sets them "
    "to NULL.",
    (
        *_PLACE,
        _EXCHANGE,
        _CUSTOMER,
        Column("key", "STRING", "Id of the customer's key that seals the words on the record"),
        Column("question", "STRING", "The question, personal data masked; NULL once erased"),
        Column("answer", "STRING", "The answer as it was shown; NULL once erased"),
        Column("written", "TIMESTAMP", "When the row was sent"),
        Column("erased", "TIMESTAMP", "When the words were erased here"),
    ),
    ("customer", "key"),
    Kinds(ANSWERED),
    filtered=True,
    words=True,
)
EVENTS = Table(
    "events",
    "Everything else on the record: questions received, what operators did, alerts, erasures, sign-ins.",
    (
        *_PLACE,
        Column("kind", "STRING", "What happened, such as rollout_started"),
        Column("actor", "STRING", "Who did it; customers are pseudonyms"),
        Column("role", "STRING", "That person's role"),
        _EXCHANGE,
        _CUSTOMER,
        Column("payload", "JSON", "The public part of the entry; customers in it are pseudonyms"),
    ),
    ("kind", "customer"),
    Kinds(ELSEWHERE, but=True),
    filtered=True,
)
SCORES = Table(
    "scores",
    "What judges, reviewers and customers said of answers, one row for each measure.",
    (
        *_PLACE,
        _PART,
        _EXCHANGE,
        Column("source", "STRING", "judge, reviewer or customer"),
        Column("scorer", "STRING", "Which judge with the beginning of its digest, or which reviewer"),
        Column("measure", "STRING", "overall, or what else was measured, such as faithfulness"),
        Column("score", "INT64", "From 0 to 100; NULL where none was given, or a thumb was taken back"),
        Column("verdict", "STRING", "A reviewer's verdict; empty elsewhere"),
        Column("reason", "STRING", "Why it was looked at, or why there is no score"),
        _TOPIC,
    ),
    ("source", "scorer"),
    Kinds(SCORED),
)
COSTS = Table(
    "costs",
    "One row for each purpose and model that money was spent on.",
    (
        *_PLACE,
        _PART,
        _EXCHANGE,
        _CUSTOMER,
        *_RELEASE,
        _TOPIC,
        Column("purpose", "STRING", "What the calls were made for: answer, judge, shadow, guardrail, evaluation …"),
        Column("model", "STRING", "The model that was paid for"),
        Column("region", "STRING", "The region it was asked in"),
        *_TOKENS,
    ),
    ("release", "model"),
    Kinds(BOOKED),
    filtered=True,
)
TABLES = (EXCHANGES, EVENTS, SCORES, COSTS, WORDS)

SPEND = View(
    "spend",
    "Money and tokens by day, release, topic, purpose and model. Say of which days: WHERE day >= …",
    """
SELECT
  day, release, topic, purpose, model,
  COUNT(DISTINCT NULLIF(exchange, '')) AS exchanges,
  SUM(input_tokens) AS input_tokens,
  SUM(output_tokens) AS output_tokens,
  SUM(cached_tokens) AS cached_tokens,
  SUM(cost_micros) AS cost_micros,
  ROUND(SUM(cost_micros) / 1000000, 6) AS cost_usd
FROM {costs}
GROUP BY day, release, topic, purpose, model
""",
)
QUALITY = View(
    "quality",
    "How turns ended, how long they took and how they were scored, by day, release and topic.",
    """
WITH told AS (
  SELECT ledger, exchange,
    AVG(IF(source = 'judge', score, NULL)) AS judged,
    AVG(IF(source = 'reviewer', score, NULL)) AS reviewed,
    COUNTIF(source = 'reviewer' AND verdict = 'wrong') AS wrong
  FROM {scores}
  WHERE measure = 'overall' AND source != 'customer'
  GROUP BY ledger, exchange
),
thumbs AS (
  SELECT ledger, exchange, score
  FROM {scores}
  WHERE source = 'customer'
  QUALIFY ROW_NUMBER() OVER (PARTITION BY ledger, exchange ORDER BY seq DESC) = 1
)
SELECT
  e.day, e.release, e.topic,
  COUNT(*) AS turns,
  COUNTIF(e.outcome = 'answered') AS answered,
  COUNTIF(e.outcome = 'abstained') AS abstained,
  COUNTIF(e.outcome = 'declined') AS declined,
  COUNTIF(e.outcome = 'failed') AS failed,
  SAFE_DIVIDE(COUNTIF(e.outcome = 'answered'), COUNT(*)) AS answered_share,
  AVG(told.judged) AS judge_score,
  AVG(told.reviewed) AS reviewer_score,
  COUNTIF(told.wrong > 0) AS found_wrong,
  COUNTIF(thumbs.score = 100) AS thumbs_up,
  COUNTIF(thumbs.score = 0) AS thumbs_down,
  APPROX_QUANTILES(e.total_ms, 100)[OFFSET(50)] AS total_ms_p50,
  APPROX_QUANTILES(e.total_ms, 100)[OFFSET(95)] AS total_ms_p95
FROM {exchanges} AS e
LEFT JOIN told ON told.ledger = e.ledger AND told.exchange = e.exchange
LEFT JOIN thumbs ON thumbs.ledger = e.ledger AND thumbs.exchange = e.exchange
GROUP BY e.day, e.release, e.topic
""",
)
SAFETY = View(
    "safety",
    "What checks found, by day, release, topic and code: in how many turns, and how those ended.",
    """
SELECT
  day, release, topic, code AS finding,
  COUNT(*) AS turns,
  COUNTIF(outcome = 'declined') AS declined,
  COUNTIF(outcome = 'abstained') AS abstained,
  COUNTIF(withheld > 0) AS withheld,
  COUNT(DISTINCT customer) AS customers
FROM (
  SELECT e.day, e.release, e.topic, e.outcome, e.withheld, e.customer, flag AS code
  FROM {exchanges} AS e, UNNEST(e.flags) AS flag
)
GROUP BY day, release, topic, code
""",
)
VIEWS = (SPEND, QUALITY, SAFETY)
