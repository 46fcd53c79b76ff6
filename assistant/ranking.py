"""Google's ranking API as a re-ranker: a model reads each passage together with the question."""

import math
from collections.abc import Sequence

from pydantic import BaseModel, ValidationError

from assistant.cloud import Cloud
from assistant.discovery import Discovery, Unanswered
from assistant.engine import sent
from opsplane.errors import InvalidRequest
from opsplane.evidence import Evidence
from opsplane.release import Ranking


class _Record(BaseModel):
    id: str
    score: float = 0.0


class _Ranked(BaseModel):
    """What is read of an answer."""

    records: list[_Record]


async def ranked(query: str, passages: Sequence[Evidence], ranking: Ranking, discovery: Discovery) -> list[Evidence]:
    """The passages in the model's order, its scores on them; those that it was not shown, or left out, behind.

    Raises `Unanswered`.
    """
    if len(passages) < 2:
        return list(passages)
    shown = {str(number): one for number, one in enumerate(passages[: ranking.passages], start=1)}
    records = [{"id": name, "title": one.title, "content": one.text} for name, one in shown.items()]
    try:
        name = config(discovery.cloud)
    except InvalidRequest as error:
        raise Unanswered(str(error)) from error
    request = {
        "ranking_config": name,
        "model": ranking.model,
        "query": sent(query),
        "records": records,
        "ignore_record_details_in_response": True,
    }
    answer = await discovery.rank(request, ranking.timeout_seconds)
    try:
        scores = {one.id: one.score for one in _Ranked.model_validate(answer).records if one.id in shown}
    except ValidationError as error:
        raise Unanswered("the answer is no ranking") from error
    if not scores or not all(map(math.isfinite, scores.values())):
        raise Unanswered("the answer ranks nothing")
    order = sorted(scores, key=lambda name: (-scores[name], int(name)))
    told = [shown[name].model_copy(update={"score": round(scores[name], 6)}) for name in order]
    left = [one.model_copy(update={"score": 0.0}) for name, one in shown.items() if name not in scores]
    return [*told, *left, *(one.model_copy(update={"score": 0.0}) for one in passages[ranking.passages :])]


def config(cloud: Cloud) -> str:
    """The project's ranking configuration: in the European Union where all regions are, else the global one.

    Raises `InvalidRequest` where no project is set.
    """
    if not cloud.project:
        raise InvalidRequest("OPSPLANE_GOOGLE_PROJECT is not set; the ranking API is asked in a project")
    european = all(one == "eu" or one.startswith("europe-") for one in cloud.locations)
    return f"projects/{cloud.project}/locations/{'eu' if european else 'global'}/rankingConfigs/default_ranking_config"
