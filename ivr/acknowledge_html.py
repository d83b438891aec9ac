"""The page behind a page's link: no script, no picture, nothing from elsewhere; light or dark as the system is."""

STYLE = """
:root { color-scheme: light dark; --ink: #16191d; --paper: #f6f7f8; --card: #fff; --line: #d5d9de; --quiet: #555d66;
  --go: #0b5d3b; --on-go: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #eef0f2; --paper: #14171a; --card: #1d2125; --line: #3a4148;
  --quiet: #aab2ba; --go: #53d69a; --on-go: #06281a; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 1rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
main { max-width: 34rem; margin: 0 auto; padding: 1.25rem; background: var(--card); border: 1px solid var(--line);
  border-radius: .75rem; }
h1 { margin: 0 0 .5rem; font-size: 1.5rem; line-height: 1.2; }
h2 { margin: 1.5rem 0 .5rem; font-size: 1rem; }
p { margin: 0 0 1rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: 1rem 0; }
dt { color: var(--quiet); }
dd { margin: 0; font-weight: 600; }
ol { list-style: none; margin: 0; padding: 0; }
li { padding: .5rem 0; border-top: 1px solid var(--line); }
li span { color: var(--quiet); }
button { width: 100%; min-height: 3.25rem; font: inherit; font-size: 1.25rem; font-weight: 700; color: var(--on-go);
  background: var(--go); border: 2px solid transparent; border-radius: .5rem; cursor: pointer; }
a { color: inherit; }
code { display: block; padding: .5rem .75rem; border: 1px solid var(--line); border-radius: .5rem; font-size: .875rem; }
.number { font-size: 1.5rem; font-weight: 700; }
button:focus-visible, a:focus-visible { outline: 3px solid var(--ink); outline-offset: 3px; }
"""

TEMPLATE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
<style>{{ style|safe }}</style>
</head>
<body>
<main>
<h1>{{ title }}</h1>
<p>{{ text }}</p>
{% if number %}<p class="number"><a href="tel:{{ number }}">{{ number }}</a></p>
{% endif %}{% if task %}<p>The task is {{ task }}.</p>
{% endif %}{% if command %}<p>Log it with:</p>
<p><code>{{ command }}</code></p>
{% endif %}{% if facts %}<dl>
{% for name, value in facts %}<dt>{{ name }}</dt><dd>{{ value }}</dd>
{% endfor %}</dl>
{% endif %}{% if button %}<form method="post">
<button type="submit">I have it</button>
<p>You answer as {{ role }}.</p>
</form>
{% endif %}{% if tried %}<h2>Who has been tried</h2>
<ol>
{% for at, role, how, result in tried %}<li>{{ role }}: {{ result }} <span>{{ how }} {{ at }}</span></li>
{% endfor %}</ol>
{% endif %}</main>
</body>
</html>
"""
