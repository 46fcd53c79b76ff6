"""The tokens of a model's call."""

from langchain_core.messages import AIMessage

from opsplane.spend import Usage


def usage(message: AIMessage) -> Usage:
    """The tokens of a model's call, as its provider tells them; none where it does not."""
    told = message.usage_metadata
    if told is None:
        return Usage()
    return Usage(
        input=told["input_tokens"],
        output=told["output_tokens"],
        cached=told.get("input_token_details", {}).get("cache_read", 0),
        thinking=told.get("output_token_details", {}).get("reasoning", 0),
    )
