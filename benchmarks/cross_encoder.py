"""A small cross-encoder out of MiniLM's lowest layers: claim and evidence lines in, a logit of support out.

Every claim token gets a logit of its own; the claim's logit leans on the weakest of them, since one unsupported word
is enough. Needs the extra `train`.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional

LAYERS, HEADS, WIDTH, FROZEN = 3, 12, 384, 0
CLAIM, TOKENS = 44, 104
"""Word pieces of the claim, and of claim, evidence and markers together; the rest is cut off."""
BATCH = 16


class Example(NamedTuple):
    """A claim, the lines of its evidence in order, and whether they support it (1) or not (0)."""

    claim: str
    evidence: Sequence[str]
    label: float


class Layer(nn.Module):  # type: ignore[misc]
    """One BERT layer; names as in the published weights."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value, self.mixed = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.norm_1, self.norm_2 = nn.LayerNorm(WIDTH, 1e-12), nn.LayerNorm(WIDTH, 1e-12)
        self.wide, self.narrow = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)
        self.drop = nn.Dropout(0.1)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """`x` of shape (batch, tokens, 384), `mask` true where a token may be seen."""
        batch, tokens, _ = x.shape
        q, k, v = (
            part(x).view(batch, tokens, HEADS, WIDTH // HEADS).transpose(1, 2)
            for part in (self.query, self.key, self.value)
        )
        seen = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None, None, :])
        x = self.norm_1(x + self.drop(self.mixed(seen.transpose(1, 2).reshape(batch, tokens, WIDTH))))
        return self.norm_2(x + self.drop(self.narrow(functional.gelu(self.wide(x)))))


PARTS = {
    "attention.self.query": "query",
    "attention.self.key": "key",
    "attention.self.value": "value",
    "attention.output.dense": "mixed",
    "attention.output.LayerNorm": "norm_1",
    "intermediate.dense": "wide",
    "output.dense": "narrow",
    "output.LayerNorm": "norm_2",
}


class CrossEncoder(nn.Module):  # type: ignore[misc]
    """Ids, kinds (0 claim, 1 evidence) and masks of shape (batch, tokens) to one logit each."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.places, self.kinds = (
            nn.Embedding(30522, WIDTH),
            nn.Embedding(512, WIDTH),
            nn.Embedding(2, WIDTH),
        )
        self.norm, self.drop = nn.LayerNorm(WIDTH, 1e-12), nn.Dropout(0.1)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.token, self.whole = nn.Linear(WIDTH, 1), nn.Linear(WIDTH, 1)

    def forward(self, ids: Tensor, kinds: Tensor, mask: Tensor) -> Tensor:
        """The logits, shape (batch,)."""
        x = self.words(ids) + self.places.weight[: ids.shape[1]] + self.kinds(kinds)
        x = self.drop(self.norm(x))
        for number, layer in enumerate(self.layers):
            x = layer(x, mask)
            if number < FROZEN:
                x = x.detach()
        claim = (mask & (kinds == 0)).float()
        share = claim / claim.sum(1, keepdim=True)
        weakest = self.token(x).squeeze(-1)
        weights = torch.softmax(-2 * weakest - 1e4 * (1 - claim), 1)
        return (weights * weakest).sum(1) + self.whole((share[:, :, None] * x).sum(1)).squeeze(-1)


def published(weights: Path) -> CrossEncoder:
    """The network with the published weights in its embeddings and lowest layers."""
    found = load_file(weights)
    network = CrossEncoder()
    state = network.state_dict()
    names = {"words": "word_embeddings", "places": "position_embeddings", "kinds": "token_type_embeddings"}
    for ours, theirs in names.items():
        state[f"{ours}.weight"] = found[f"embeddings.{theirs}.weight"]
    for end in ("weight", "bias"):
        state[f"norm.{end}"] = found[f"embeddings.LayerNorm.{end}"]
        for number in range(LAYERS):
            for theirs, ours in PARTS.items():
                state[f"layers.{number}.{ours}.{end}"] = found[f"encoder.layer.{number}.{theirs}.{end}"]
    network.load_state_dict(state)
    for part in (network.words, network.places, network.kinds):
        part.weight.requires_grad = False
    for layer in network.layers[:FROZEN]:
        layer.requires_grad_(False)
    return network


def encode(tokenizer: Tokenizer, claim: str, evidence: Sequence[str]) -> tuple[list[int], int]:
    """Ids with markers, and how many of them belong to the claim."""
    first = tokenizer.encode(claim, add_special_tokens=False).ids[:CLAIM]
    head = [101, *first, 102]
    rest = [i for line in evidence for i in tokenizer.encode(line, add_special_tokens=False).ids[:40]]
    return [*head, *rest[: TOKENS - len(head) - 1], 102], len(head)


def batch(rows: Sequence[tuple[list[int], int]]) -> tuple[Tensor, Tensor, Tensor]:
    """Ids, kinds and mask, padded to the longest."""
    longest = max(len(ids) for ids, _ in rows)
    ids, kinds = np.zeros((len(rows), longest), np.int64), np.ones((len(rows), longest), np.int64)
    for place, (row, claim) in enumerate(rows):
        ids[place, : len(row)] = row
        kinds[place, :claim] = 0
    found = torch.from_numpy(ids)
    return found, torch.from_numpy(kinds), found != 0


def train(
    network: CrossEncoder, examples: Sequence[Example], tokenizer: Tokenizer, *, rate: float, epochs: int, seed: int
) -> None:
    """AdamW with a linear decay; batches hold rows of like length."""
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    rows = [encode(tokenizer, e.claim, e.evidence) for e in examples]
    labels = torch.tensor([e.label for e in examples])
    heads = [*network.token.parameters(), *network.whole.parameters()]
    body = [p for name, p in network.named_parameters() if p.requires_grad and not name.startswith(("token", "whole"))]
    optimiser = torch.optim.AdamW([{"params": body, "lr": rate}, {"params": heads, "lr": 10 * rate}], weight_decay=0.01)
    steps = epochs * -(-len(rows) // BATCH)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, (step + 1) / (0.06 * steps + 1)) * max(0.0, 1 - step / steps)
    )
    network.train()
    begun, done, losses = time.monotonic(), 0, []
    for _ in range(epochs):
        lengths = np.array([len(ids) for ids, _ in rows]) + rng.normal(0, 12, len(rows))
        order = np.argsort(lengths)
        batches = [order[i : i + BATCH] for i in range(0, len(order), BATCH)]
        for number in rng.permutation(len(batches)):
            places = batches[number]
            logits = network(*batch([rows[i] for i in places]))
            loss = functional.binary_cross_entropy_with_logits(logits, labels[places])
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            done += 1
            losses.append(loss.item())
            if done % 25 == 0:
                print(
                    f"  step {done}/{steps}, loss {np.mean(losses[-40:]):.3f}, {time.monotonic() - begun:.0f} s",
                    flush=True,
                )


def logits(network: CrossEncoder, examples: Sequence[Example], tokenizer: Tokenizer) -> NDArray[np.float32]:
    """One logit an example, in order."""
    network.eval()
    rows = [encode(tokenizer, e.claim, e.evidence) for e in examples]
    order = sorted(range(len(rows)), key=lambda i: len(rows[i][0]))
    found = np.empty(len(rows), np.float32)
    with torch.no_grad():
        for start in range(0, len(order), BATCH):
            places = order[start : start + BATCH]
            found[places] = network(*batch([rows[i] for i in places])).numpy()
    return found
