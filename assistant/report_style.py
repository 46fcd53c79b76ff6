"""How the page of an evaluation looks, and the few lines of script that filter its cases."""

from base64 import b64encode
from hashlib import sha256

STYLE = """
:root { color-scheme: light dark; --ink: #1a1a1a; --soft: #55606e; --ground: #fff; --raised: #f4f6f8; --line: #d5dae0;
  --link: #0b5fa5; --good: #166534; --bad: #9b1c1c; --open: #854d0e; }
@media screen and (prefers-color-scheme: dark) {
  :root { --ink: #e6e8eb; --soft: #a3adba; --ground: #14171c; --raised: #1e232b; --line: #39414d;
    --link: #8cc3ff; --good: #86e0a4; --bad: #ffa8a8; --open: #f3cf6b; }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground); }
body { max-width: 68rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; line-height: 1.25; overflow-wrap: anywhere; margin-bottom: .5rem; }
h2 { font-size: 1.25rem; margin-top: 2.75rem; } h3 { font-size: 1.02rem; margin: 1.5rem 0 .4rem; }
h4 { font-size: .9rem; margin: 1rem 0 .25rem; color: var(--soft); }
a { color: var(--link); } code { font-size: .87em; overflow-wrap: anywhere; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.1rem; list-style: none; padding: 0; }
.result { font-size: 1.1rem; font-weight: 600; border-left: .35rem solid currentColor; padding: .4rem .8rem;
  background: var(--raised); overflow-wrap: anywhere; }
.good { color: var(--good); } .bad { color: var(--bad); } .open { color: var(--open); } .soft { color: var(--soft); }
.good, .bad, .open { font-weight: 600; }
.wide { overflow-x: auto; margin: .5rem 0; }
table { border-collapse: collapse; width: 100%; font-size: .88rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); }
thead th { vertical-align: bottom; color: var(--soft); font-weight: 600; } tbody th { font-weight: 500; }
td { min-width: 3.2rem; } tbody th { min-width: 8rem; } td .several { min-width: 14rem; } .why { min-width: 13rem; }
.facts { display: grid; gap: .15rem .8rem; margin: .5rem 0; }
.facts div { display: grid; grid-template-columns: 9.5rem minmax(0, 1fr); gap: .8rem; }
.facts dt { color: var(--soft); } .facts dd { margin: 0; overflow-wrap: anywhere; }
svg.span { display: block; width: 7.5rem; height: 1.1rem; }
.track { stroke: var(--line); stroke-width: 2; } .band { stroke: var(--link); stroke-width: 5; opacity: .45; }
.dot { fill: var(--link); }
.several { display: flex; flex-wrap: wrap; gap: .1rem .7rem; list-style: none; margin: .2rem 0; padding: 0; }
#filter { display: flex; flex-wrap: wrap; gap: .6rem .9rem; align-items: end; padding: .8rem; margin: .8rem 0;
  background: var(--raised); border: 1px solid var(--line); border-radius: .4rem; }
#filter[hidden], .case[hidden] { display: none; }
#filter label { display: grid; font-size: .8rem; color: var(--soft); } #filter .words { flex: 1 1 14rem; }
input, select, button { font: inherit; color: inherit; background: var(--ground); border: 1px solid var(--soft);
  border-radius: .3rem; padding: .35rem .5rem; min-height: 2.3rem; max-width: 100%; }
input { width: 100%; } button { cursor: pointer; } #told { min-width: 8.5rem; padding: .35rem 0; }
details.case { border: 1px solid var(--line); border-radius: .4rem; margin: .4rem 0; }
details.case > summary { padding: .45rem .7rem; cursor: pointer; overflow-wrap: anywhere; }
details.case[open] > summary { background: var(--raised); border-bottom: 1px solid var(--line); }
summary .name { font-weight: 600; } summary .mark { display: inline-block; min-width: 6.4rem; }
.inside { padding: .3rem .9rem 1rem; } .text { white-space: pre-wrap; overflow-wrap: anywhere; margin: .2rem 0; }
.said { margin: .3rem 0; padding-left: 1.3rem; overflow-wrap: anywhere; } .said li { margin: .2rem 0; }
.held { text-decoration: line-through; text-decoration-color: var(--bad); }
.beside { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); gap: 0 2rem; }
.from { margin: .25rem 0; overflow-wrap: anywhere; } .from > summary { cursor: pointer; }
.from .text { padding: .5rem .8rem; border-left: 3px solid var(--line); font-size: .92rem; }
@media (max-width: 34rem) {
  .facts div { grid-template-columns: minmax(0, 1fr); gap: 0; } .facts { gap: .45rem; }
  #filter label { flex: 1 1 8rem; } .inside { padding: .3rem .6rem .8rem; }
}
@media print {
  body { max-width: none; margin: 0; font-size: 10pt; } table { font-size: 7pt; }
  tbody th { min-width: 0; } td .several, .why { min-width: 8rem; } td { min-width: 0; }
  .wide { overflow: visible; } nav, #filter { display: none; }
  .result, tr, .said li { break-inside: avoid; } h2, h3, summary { break-after: avoid; }
}
"""

SCRIPT = """
(() => {
  const form = document.getElementById('filter'), told = document.getElementById('told');
  if (!form) return;
  const cases = [...document.querySelectorAll('details.case')], words = new Map();
  const has = (one, name, wanted) => !wanted || JSON.parse(one.dataset[name]).includes(wanted);
  const show = () => {
    const asked = new FormData(form), parts = asked.get('words').toLowerCase().split(/\\s+/).filter(Boolean);
    let shown = 0;
    for (const one of cases) {
      if (!words.has(one)) words.set(one, one.textContent.toLowerCase());
      one.hidden = !(['state', 'kind', 'tag'].every(name => has(one, name, asked.get(name)))
        && parts.every(part => words.get(one).includes(part)));
      shown += !one.hidden;
    }
    told.textContent = shown + ' of ' + cases.length + ' cases';
  };
  const reach = () => {
    const place = document.getElementById(location.hash.slice(1));
    if (!place) return;
    for (let up = place.closest('details'); up; up = up.parentElement.closest('details')) {
      up.hidden = false;
      up.open = true;
    }
    place.scrollIntoView();
  };
  form.hidden = false;
  form.addEventListener('input', show);
  form.addEventListener('submit', event => event.preventDefault());
  form.addEventListener('reset', () => setTimeout(show));
  document.getElementById('unfold').addEventListener('click', () => {
    const shown = cases.filter(one => !one.hidden), open = shown.some(one => !one.open);
    for (const one of shown) one.open = open;
  });
  document.addEventListener('toggle', event => {
    const from = event.target.dataset && event.target.dataset.from;
    const passage = from && event.target.open && document.querySelector('#' + from + ' .text');
    if (passage) event.target.lastElementChild.replaceWith(passage.cloneNode(true));
  }, true);
  document.addEventListener('click', event => {
    const link = event.target.closest('a[href^="#"]');
    if (link && link.hash === location.hash) setTimeout(reach);
  });
  addEventListener('hashchange', reach);
  show();
  reach();
})();
"""

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    f"script-src 'sha256-{b64encode(sha256(SCRIPT.encode()).digest()).decode()}'"
)
"""What the page may do: its own style, this very script, and nothing from anywhere else."""
