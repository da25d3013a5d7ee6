// A block of code: its language, a button to copy it, and colours once it is finished. Diagrams are drawn.
import { useEffect, useState } from "react";
import { jsx, jsxs } from "react/jsx-runtime";

const LONGEST = 60_000; // characters; longer code stays plain
const NAMES = {
  bash: "Bash", c: "C", cpp: "C++", cs: "C#", csharp: "C#", css: "CSS", diff: "Diff", dockerfile: "Dockerfile", go: "Go", html: "HTML",
  ini: "INI", java: "Java", javascript: "JavaScript", js: "JavaScript", json: "JSON", jsx: "JSX", kotlin: "Kotlin", markdown: "Markdown",
  md: "Markdown", mermaid: "Mermaid", php: "PHP", py: "Python", python: "Python", rb: "Ruby", rs: "Rust", ruby: "Ruby", rust: "Rust",
  sh: "Shell", shell: "Shell", sql: "SQL", swift: "Swift", toml: "TOML", ts: "TypeScript", tsx: "TSX", typescript: "TypeScript", xml: "XML",
  yaml: "YAML", yml: "YAML",
}; // prettier-ignore

const languageOf = (info) => /^[\w+#.-]{1,24}/.exec((info || "").trim().replace(/^\{?\.?/, ""))?.[0].toLowerCase() || "";

function spans(nodes) {
  return nodes.map((node, index) =>
    node.type === "text" ? node.value : jsx("span", { className: node.properties.className.join(" "), children: spans(node.children) }, index),
  );
}

// What a program of its own makes of a text that is finished; undefined until then, null where it cannot.
function useMade(ready, load, text) {
  const [made, setMade] = useState({});
  useEffect(() => {
    if (!ready) return undefined;
    let here = true;
    load().then((value) => here && setMade({ text, value }), () => here && setMade({ text, value: null }));
    return () => (here = false);
  }, [ready, text]); // eslint-disable-line react-hooks/exhaustive-deps
  return made.text === text ? made.value : undefined;
}

export function Code({ token, open, labels, CopyButton }) {
  const { text } = token;
  const language = languageOf(token.lang);
  const diagram = language === "mermaid";
  const fits = !open && text.length <= LONGEST;
  const Diagram = useMade(fits && diagram, () => import("./chat_diagram.js").then((diagrams) => diagrams.Diagram), "");
  const coloured = useMade(fits && Boolean(language) && !diagram, () => import("./chat_colours.js").then(({ coloured }) => coloured(text, language)), text);
  const [source, setSource] = useState(false);
  const [failed, setFailed] = useState("");
  const drawn = Diagram && fits && failed !== text;
  const code = jsx("pre", { tabIndex: 0, children: jsx("code", { children: coloured ? spans(coloured) : text }) });
  return jsxs("div", {
    className: "mzc-code",
    dir: "ltr",
    "data-language": language || undefined,
    "data-open": open || undefined,
    children: [
      jsxs("div", {
        className: "mzc-code-head",
        children: [
          jsx("span", { children: NAMES[language] || language || labels.code }),
          drawn &&
            jsx("button", {
              type: "button",
              className: "mzc-link",
              "aria-pressed": source,
              onClick: () => setSource(!source),
              children: source ? labels.showDiagram : labels.showSource,
            }),
          !open && jsx(CopyButton, { text: () => text, label: labels.copyCode, done: labels.copied, className: "mzc-copy" }),
        ],
      }),
      drawn && !source ? jsx(Diagram, { text, labels, failed: () => setFailed(text) }) : code,
      failed === text && text && jsx("p", { className: "mzc-code-note", children: labels.noDiagram }),
    ],
  });
}
