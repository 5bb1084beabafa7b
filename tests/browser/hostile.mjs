// What a miner may answer to get at whoever looks at it.

export const LONG = "word".repeat(262_144);

export const HOSTILE = [
  "<script>window.owned = 1; alert(1)</script>",
  '<img src=x onerror="window.owned = 2; alert(2)">',
  "<svg onload=alert(3)><animate onbegin=alert(3)></svg>",
  '<a href="javascript:alert(4)">press</a> [press](javascript:alert(4))',
  "</div></details></li></ol><style>* { display: none }</style><title>owned</title>",
  '<iframe src="http://127.0.0.1:9/"></iframe><link rel=stylesheet href="http://127.0.0.1:9/x.css">',
  '<meta http-equiv="refresh" content="0;url=http://127.0.0.1:9/"><base href="http://127.0.0.1:9/">',
  '"><form action="http://127.0.0.1:9/"><input autofocus onfocus=alert(5)>',
  "${alert(6)} {{constructor.constructor('alert(6)')()}} `${alert(6)}`",
  "safe \u202etxt.exe\u202c \u2066\u2067isolated\u2069 \u200f\u061c",
  "nul \u0000 bell \u0007 back \b\b\b escape \u001b[2J\u001b[31mred\u001b[0m \u009b31m \u0085 \u2028 \u2029",
  "data: x\n\nevent: state\ndata: {}\n\n",
  "\ud800 alone \udc00 \ufffe \uffff \u{e0041}\u{e0042} \ufeff\u200b\u00ad\u3164",
  "Z\u0351\u036b\u0343\u036a\u0302".repeat(400),
  "👩‍👩‍👧‍👦🏳️‍🌈 مرحبا بالعالم שלום 你好",
  '{"__proto__": {"owned": 1}} constructor __proto__ toString',
];
