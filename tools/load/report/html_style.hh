// The HTML report's style sheet.
#pragma once

namespace load::report {

inline constexpr const char* kStyle = R"css(
:root{--page:#f5f6f8;--panel:#fff;--ink:#1a1f26;--muted:#5d6875;--rule:#e4e7eb;--shade:#eef1f4;
--storm:#fbeedd;--first:#2461c4;--second:#c2630a;--third:#98a2ae;--fourth:#12805c;--good:#157347;
--bad:#bb2d3b;--doubt:#9a6700;--good-back:#e6f4ec;--bad-back:#fbe9eb;--doubt-back:#fbf1d9}
@media(prefers-color-scheme:dark){:root{--page:#0f1216;--panel:#171b21;--ink:#e5e9ee;
--muted:#97a2ae;--rule:#272d35;--shade:#1e242b;--storm:#33281a;--first:#6ea8fe;--second:#f2a154;
--third:#68737f;--fourth:#4fc59b;--good:#58c98b;--bad:#f2808b;--doubt:#e6b85c;--good-back:#14291e;
--bad-back:#331a1e;--doubt-back:#2e2613}}
*{box-sizing:border-box;margin:0;padding:0}
body{background:var(--page);color:var(--ink);line-height:1.45;-webkit-text-size-adjust:100%;
font:15px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
main{max-width:70rem;margin:0 auto;padding:1.75rem 1.25rem 3rem}
h1{font-size:1.45rem;line-height:1.25;font-weight:650;letter-spacing:-.01em;
overflow-wrap:anywhere}
h2{font-size:1.05rem;font-weight:650;margin:0 0 .7rem}
h3{font-size:.95rem;font-weight:650;margin:0 0 .35rem;overflow-wrap:anywhere}
h3 small{color:var(--muted);font-weight:400;font-size:.85rem;margin-left:.6rem}
code{font:.85rem/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
ul{list-style:none}
.meta{color:var(--muted);font-size:.88rem;margin:.25rem 0 1rem;display:flex;flex-wrap:wrap;
gap:0 1.1rem}
.meta span{overflow-wrap:anywhere;min-width:0}
.verdict{display:flex;gap:.8rem;align-items:baseline;padding:.7rem .9rem;border-radius:.6rem;
overflow-wrap:anywhere}
.verdict b{text-transform:uppercase;font-size:.76rem;letter-spacing:.06em;white-space:nowrap}
.verdict div{min-width:0}
.verdict ul{margin-top:.2rem;font-size:.9rem}
.verdict.good{background:var(--good-back)}.verdict.good b{color:var(--good)}
.verdict.bad{background:var(--bad-back)}.verdict.bad b{color:var(--bad)}
.verdict.doubt{background:var(--doubt-back)}.verdict.doubt b{color:var(--doubt)}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.2rem,1fr));gap:1px;
margin:1rem 0;background:var(--panel);border:1px solid var(--rule);border-radius:.6rem;
overflow:hidden}
.figures>div{background:var(--panel);padding:.7rem .9rem;box-shadow:0 0 0 1px var(--rule)}
.figures dt{color:var(--muted);font-size:.8rem;white-space:nowrap}
.figures dd{font-size:1.3rem;font-weight:600;letter-spacing:-.01em;
font-variant-numeric:tabular-nums;white-space:nowrap}
.figures small{display:block;color:var(--muted);font-size:.75rem;font-weight:400;letter-spacing:0}
section{margin-top:1.6rem}
.charts{display:grid;gap:1rem;margin-top:0}
.chart,.panel,.gates,article{background:var(--panel);border:1px solid var(--rule);
border-radius:.6rem;padding:1rem 1.1rem}
article{margin-bottom:1rem}
figcaption{display:flex;flex-wrap:wrap;align-items:baseline;gap:.1rem .6rem;margin-bottom:.9rem}
figcaption small{color:var(--muted);font-size:.85rem}
.legend{display:flex;gap:1rem;margin-left:auto;font-size:.8rem;color:var(--muted)}
.legend i{display:inline-block;width:1.1rem;height:0;border-top:2px solid var(--c);
vertical-align:.25em;margin-right:.4rem}
.legend i.wanted{border-top-style:dashed}
.first{--c:var(--first)}.second{--c:var(--second)}.third{--c:var(--third)}
.fourth{--c:var(--fourth)}.wanted{--c:var(--muted)}.bars.bad{--c:var(--bad)}
.plot{display:grid;grid-template:12rem 1.5rem/3.6rem minmax(0,1fr);padding-right:1rem;
font-size:.75rem;color:var(--muted);font-variant-numeric:tabular-nums}
.area,.x,.y{position:relative}
.x{grid-column:2}
.y span{position:absolute;right:.6rem;transform:translateY(50%);white-space:nowrap}
.x span{position:absolute;top:.4rem;transform:translateX(-50%);white-space:nowrap}
svg{display:block;width:100%;height:100%;overflow:visible}
svg path{vector-effect:non-scaling-stroke;fill:none}
.grid{stroke:var(--rule);stroke-width:1}
.line{stroke:var(--c);stroke-width:1.75;stroke-linejoin:round}
.line.third{stroke-width:1.25}
.line.wanted{stroke-width:1.25;stroke-dasharray:4 4}
svg .fill{fill:var(--c);opacity:.12}
svg .bars{fill:var(--c)}
.mark{stroke:var(--second);stroke-width:1.25;stroke-dasharray:3 3}
rect.ramp{fill:var(--shade)}
rect.storm{fill:var(--storm)}
rect.hint{fill:transparent}
rect.hint:hover{fill:var(--ink);opacity:.08}
.phase,.storm{position:absolute;pointer-events:none;white-space:nowrap;font-size:.72rem}
span.phase{top:-1.05rem;overflow:hidden;text-overflow:ellipsis;padding-left:2px}
span.storm{bottom:.15rem;padding:0 .3rem;color:var(--second);font-weight:600}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.86rem;font-variant-numeric:tabular-nums}
th{font-weight:500;text-align:left;color:var(--muted)}
td,th{padding:.28rem .5rem .28rem 0;white-space:nowrap}
tbody tr{border-top:1px solid var(--rule)}
.numbers td,.numbers thead th{text-align:right;padding-left:.6rem}
.numbers td:last-child,.numbers th:last-child{padding-right:0}
.numbers tbody th{color:var(--ink)}
tr.good b{color:var(--good)}tr.bad b,b.bad,li.bad b{color:var(--bad)}
.facts,.plain{display:flex;flex-wrap:wrap;gap:.1rem 1rem;font-size:.86rem;color:var(--muted)}
.facts{margin-bottom:.5rem}
.facts b,.plain b,.errors b{color:var(--ink);font-weight:600;font-variant-numeric:tabular-nums}
.facts li.bad b,.plain b.bad{color:var(--bad)}
.plain{flex-direction:column}
.columns{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(17rem,100%),1fr));
gap:1rem 2.5rem}
.codes td:last-child{text-align:right;padding-right:0;width:1%}
.codes th,.codes .what{width:1%}
.codes .what{color:var(--muted);padding-right:1rem}
.numbers td.how{white-space:normal;color:var(--muted)}
.bar i{display:block;height:.55rem;min-width:2px;border-radius:1px;background:var(--first);
opacity:.75}
.errors li{display:grid;grid-template-columns:4.5rem minmax(0,1fr);gap:.8rem;padding:.35rem 0;
border-top:1px solid var(--rule);font-size:.9rem;overflow-wrap:anywhere}
.errors li:first-child{border-top:0}
.errors b{text-align:right}
.errors small{display:block;color:var(--muted);font-size:.82rem}
footer{margin-top:1.6rem;color:var(--muted);font-size:.82rem}
footer code{display:block;margin-top:.2rem}
@media(max-width:40rem){.numbers thead th{white-space:normal}
main{padding:1rem .75rem 2rem}.odd,.wide,.brief{display:none}
h1{font-size:1.2rem}.chart,.panel,.gates,article{padding:.8rem .8rem}
.plot{grid-template:10.5rem 1.5rem/3.2rem minmax(0,1fr);padding-right:.7rem}
.verdict{flex-direction:column;gap:.15rem}h3 small{display:block;margin:0}
.legend{margin-left:0;width:100%}figcaption{margin-bottom:1.1rem}
.numbers td,.numbers thead th{padding-left:.3rem}td,th{padding-right:.3rem}
table{font-size:.75rem}.errors li{grid-template-columns:2.4rem minmax(0,1fr)}}
@media print{body{background:#fff}article,.chart,.panel{break-inside:avoid}}
)css";

}  // namespace load::report
