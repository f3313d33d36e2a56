"""How a card looks in Anki: its two sides and its style sheet, light and dark, no network."""

from __future__ import annotations

FIELDS = ("Id", "Where", "Prompt", "Code", "Options", "Hints", "Answer", "Why", "More")
"""The order is part of the note type: Anki matches fields by it."""

FRONT = """\
<div class="drill tex2jax_ignore">
<div class="where">{{Where}}</div>
<div class="prompt">{{Prompt}}</div>
{{#Code}}{{Code}}{{/Code}}
{{#Options}}<div class="options">{{Options}}</div>{{/Options}}
{{#Hints}}<details class="hints"><summary>Hints</summary>{{Hints}}</details>{{/Hints}}
</div>
"""

BACK = """\
{{FrontSide}}
<hr id="answer">
<div class="drill tex2jax_ignore">
<div class="answer">{{Answer}}</div>
<div class="why">{{Why}}</div>
<div class="more">{{More}}</div>
<div class="id">{{Id}}</div>
</div>
"""

CSS = """\
.card { margin: 0; background: #ffffff; color: #1f2328; --soft: #59636e; --line: #d1d9e0;
  --block: #f6f8fa; --key: #0a6b3d; --keyback: #eaf6ee; --link: #0550ae; --kw: #a3203f;
  --str: #0a3069; --com: #59636e; --num: #0550ae; --name: #6639ba; --built: #8a3800; }
.card.nightMode, .card.night_mode, .nightMode .card, .night_mode .card {
  background: #16181d; color: #e6e8eb; --soft: #9aa4b0; --line: #3a414b;
  --block: #1f232a; --key: #7ddfa5; --keyback: #15291e; --link: #8ab8ff; --kw: #ff8f8a;
  --str: #a5d6ff; --com: #9aa4b0; --num: #8ab8ff; --name: #d2a8ff; --built: #ffb77c; }
.drill { max-width: 44rem; margin: 0 auto; padding: 1rem 1.1rem; text-align: left;
  font: 1.05rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
.drill p { margin: 0 0 .7em; }
.drill .where, .drill .id { color: var(--soft); font-size: .8rem; }
.drill .where { margin-bottom: .8em; }
.drill .prompt { font-weight: 500; }
.drill code, .drill pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas,
  "DejaVu Sans Mono", monospace; }
.drill code { font-size: .92em; background: var(--block); border-radius: 4px; padding: .05em .3em;
  overflow-wrap: anywhere; }
.drill pre { background: var(--block); border: 1px solid var(--line); border-radius: 6px;
  padding: .7rem .8rem; margin: .6rem 0 .9rem; overflow-x: auto; font-size: .84rem;
  line-height: 1.5; white-space: pre; tab-size: 4; }
.drill pre .line { display: inline-block; width: 2em; margin-right: 1em; text-align: right;
  color: var(--soft); user-select: none; }
.drill ol, .drill ul { margin: .4rem 0 .8rem; padding-left: 1.6rem; }
.drill ol.letters { list-style: lower-alpha; }
.drill li { margin: .25rem 0; }
.drill h2 { font-size: .78rem; letter-spacing: .05em; text-transform: uppercase;
  color: var(--soft); margin: 1.1rem 0 .4rem; font-weight: 600; }
.drill .options h2:first-child { margin-top: .4rem; }
.drill .answer { background: var(--keyback); border-left: 4px solid var(--key);
  border-radius: 0 6px 6px 0; padding: .6rem .9rem; margin-bottom: 1rem; }
.drill .answer > :last-child, .drill .answer p:last-child { margin-bottom: 0; }
.drill .answer h2:first-child { margin-top: 0; }
.drill .right { color: var(--key); font-weight: 600; }
.drill .soft { color: var(--soft); }
.drill .hints { margin: .6rem 0; color: var(--soft); }
.drill .hints summary { cursor: pointer; }
.drill a { color: var(--link); }
.drill .id { margin-top: 1.2em; }
hr#answer { border: 0; border-top: 1px solid var(--line); margin: 0; }
.drill .k, .drill .kn, .drill .kc, .drill .kd, .drill .kt, .drill .ow { color: var(--kw); }
.drill .s, .drill .s1, .drill .s2, .drill .sa, .drill .sd, .drill .si, .drill .se {
  color: var(--str); }
.drill .c, .drill .c1, .drill .cm, .drill .ch { color: var(--com); font-style: italic; }
.drill .m, .drill .mi, .drill .mf, .drill .mh { color: var(--num); }
.drill .nf, .drill .nc, .drill .nd, .drill .fm { color: var(--name); }
.drill .nb, .drill .bp, .drill .ne { color: var(--built); }
"""
