/** The look of every page: light or dark as the person's system is, readable at any width and without a picture or font from elsewhere. */
export const style = `
:root{color-scheme:light dark;--ground:#eef1f5;--card:#fff;--ink:#16202c;--soft:#4c5a6b;--line:#ccd5df;--go:#14603f;--go-ink:#fff;--ring:#0b57d0;--good:#14603f;--bad:#a3281f}
@media (prefers-color-scheme:dark){:root{--ground:#0e1319;--card:#171e27;--ink:#e7edf4;--soft:#a3b1c0;--line:#344150;--go:#7fd8ab;--go-ink:#06281a;--ring:#a8c7fa;--good:#7fd8ab;--bad:#ffa198}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.5rem 1rem;background:var(--ground);color:var(--ink);font:1.0625rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{width:100%;max-width:31rem;padding:2rem;background:var(--card);border:1px solid var(--line);border-radius:.75rem}
.brand{display:flex;align-items:center;gap:.5rem;margin:0 0 1.5rem;color:var(--soft);font-size:.9375rem;font-weight:600}
.brand svg{width:1.5rem;height:1.5rem;flex:none}
h1{margin:0 0 .75rem;font-size:1.5rem;line-height:1.25}
.done h1{color:var(--good)}
.refused h1{color:var(--bad)}
p{margin:0 0 1rem;overflow-wrap:anywhere}
.soft{color:var(--soft);font-size:.9375rem}
.code{margin:1.25rem 0;padding:.875rem;border:1px solid var(--line);border-radius:.5rem;background:var(--ground);text-align:center;font:700 1.75rem/1.3 ui-monospace,"DejaVu Sans Mono",monospace;letter-spacing:.08em}
.long{font-size:.9375rem;font-weight:400;letter-spacing:0;user-select:all}
code{font-family:ui-monospace,"DejaVu Sans Mono",monospace;font-size:.9375em}
form{display:grid;gap:.75rem;margin:1.5rem 0 0}
input{width:100%;padding:.75rem 1rem;border:1px solid var(--line);border-radius:.5rem;background:var(--ground);color:var(--ink);font:700 1.25rem/1.3 ui-monospace,"DejaVu Sans Mono",monospace;letter-spacing:.08em;text-align:center;text-transform:uppercase}
label{font-weight:600}
button{width:100%;padding:.75rem 1rem;border:1px solid var(--line);border-radius:.5rem;background:transparent;color:var(--ink);font:inherit;cursor:pointer}
button.go{border-color:var(--go);background:var(--go);color:var(--go-ink);font-weight:600}
a{color:var(--ring)}
:focus-visible{outline:3px solid var(--ring);outline-offset:2px}
p:last-child{margin-bottom:0}
`;
