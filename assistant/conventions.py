"""The names that OpenTelemetry's conventions for generative AI give to what is traced and measured.

They are still in development and have moved to a repository of their own, so the version is pinned here; a test holds
each name against the installed package. What the conventions have no name for begins with `opsplane.`.
"""

from collections.abc import Mapping

VERSION = "1.44.0"
"""The version of the semantic conventions that every name below is taken from."""
SCHEMA = f"https://opentelemetry.io/schemas/{VERSION}"

OPERATION = "gen_ai.operation.name"
PROVIDER = "gen_ai.provider.name"
CONVERSATION = "gen_ai.conversation.id"
DATA_SOURCE = "gen_ai.data_source.id"
REQUEST_MODEL = "gen_ai.request.model"
REQUEST_STREAM = "gen_ai.request.stream"
RESPONSE_MODEL = "gen_ai.response.model"
FINISH_REASONS = "gen_ai.response.finish_reasons"
INPUT_TOKENS = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
CACHED_TOKENS = "gen_ai.usage.cache_read.input_tokens"
THINKING_TOKENS = "gen_ai.usage.reasoning.output_tokens"
TOKEN_TYPE = "gen_ai.token.type"  # noqa: S105 - a name
TOOL_NAME = "gen_ai.tool.name"
TOOL_TYPE = "gen_ai.tool.type"
ERROR_TYPE = "error.type"
SERVER_ADDRESS = "server.address"
SERVER_PORT = "server.port"
REGION = "cloud.region"
USER_HASH = "user.hash"

CHAT, EXECUTE_TOOL, RETRIEVAL = "chat", "execute_tool", "retrieval"
"""Operations."""

GENERATION: Mapping[str, str] = {
    "temperature": "gen_ai.request.temperature",
    "top_p": "gen_ai.request.top_p",
    "top_k": "gen_ai.request.top_k",
    "max_output_tokens": "gen_ai.request.max_tokens",
    "seed": "gen_ai.request.seed",
}
"""What a release's `generation` is called."""

PROVIDERS: Mapping[str, str] = {
    "google_genai": "gcp.gemini",
    "google_vertexai": "gcp.vertex_ai",
    "openai": "openai",
    "azure_openai": "azure.ai.openai",
    "anthropic": "anthropic",
    "bedrock": "aws.bedrock",
    "cohere": "cohere",
    "deepseek": "deepseek",
    "groq": "groq",
    "mistralai": "mistral_ai",
    "perplexity": "perplexity",
    "xai": "x_ai",
}
"""What LangChain's providers are called; one that is not listed keeps LangChain's name."""
VERTEX = "gcp.vertex_ai"

TOKEN_USAGE = "gen_ai.client.token.usage"  # noqa: S105 - a name
OPERATION_DURATION = "gen_ai.client.operation.duration"

SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
"""Bucket boundaries of durations."""
TOKENS = tuple(4**power for power in range(14))
"""Bucket boundaries of token counts."""
