// The text editor, CodeMirror, loaded when a page needs it. Tab leaves it, as it does any other field.

import { autocompletion, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { sql, type SQLNamespace, StandardSQL } from "@codemirror/lang-sql";
import { bracketMatching, HighlightStyle, StreamLanguage, syntaxHighlighting } from "@codemirror/language";
import { json } from "@codemirror/legacy-modes/mode/javascript";
import { toml } from "@codemirror/legacy-modes/mode/toml";
import { Compartment, EditorState, type Extension, Prec } from "@codemirror/state";
import { drawSelection, EditorView, keymap } from "@codemirror/view";
import { tags } from "@lezer/highlight";

export type Language = "sql" | "toml" | "json";

export interface Options {
  text: string;
  label: string;
  language: Language;
  /** Names for the completion of SQL. */
  schema?: SQLNamespace;
  onchange: (text: string) => void;
  /** Ctrl+Enter, or Cmd+Enter on a Mac. */
  onrun?: () => void;
}

export interface Editor {
  /** Shows another text; equal parts keep the cursor. */
  show(text: string): void;
  setLanguage(language: Language): void;
  /** Focuses the editor, with the cursor at an offset. */
  focus(at: number): void;
  destroy(): void;
}

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.heading, tags.operatorKeyword], color: "var(--code-word)", fontWeight: "600" },
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--code-name)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--code-text)" },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: "var(--code-number)" },
  { tag: [tags.comment, tags.lineComment, tags.blockComment], color: "var(--quiet)" },
]);

const look = EditorView.theme({
  "&": { height: "100%", backgroundColor: "var(--panel)", color: "var(--ink)" },
  "&.cm-focused": { outline: "2px solid var(--focus)", outlineOffset: "-1px", borderRadius: "6px" },
  ".cm-scroller": { font: "12px/18px var(--mono)", overflow: "auto" },
  ".cm-content": { padding: "8px 0", caretColor: "var(--ink)" },
  ".cm-line": { padding: "0 12px" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    background: "color-mix(in oklab, var(--focus) 25%, transparent)",
  },
  "&.cm-focused .cm-matchingBracket": { background: "var(--hover)", outline: "1px solid var(--line-strong)" },
  ".cm-tooltip": { border: "1px solid var(--line-strong)", borderRadius: "6px", background: "var(--panel)", color: "var(--ink)" },
  ".cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", fontSize: "12px" },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": { background: "var(--hover)", color: "var(--ink)" },
});

function grammar(language: Language, schema: SQLNamespace | undefined): Extension {
  if (language === "toml") return StreamLanguage.define(toml);
  if (language === "json") return StreamLanguage.define(json);
  return [sql({ dialect: StandardSQL, ...(schema ? { schema } : {}) }), autocompletion({ icons: false }), keymap.of(completionKeymap)];
}

export function createEditor(parent: HTMLElement, { text, label, language, schema, onchange, onrun }: Options): Editor {
  const spoken = new Compartment();
  const enter = () => {
    onrun?.();
    return true;
  };
  const run = onrun ? [Prec.highest(keymap.of([{ key: "Mod-Enter", run: enter }]))] : [];
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: text,
      extensions: [
        run,
        history(),
        drawSelection(),
        bracketMatching(),
        syntaxHighlighting(colours),
        look,
        keymap.of([...defaultKeymap, ...historyKeymap]),
        spoken.of(grammar(language, schema)),
        EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false", tabindex: "0" }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) onchange(update.state.doc.toString());
        }),
      ],
    }),
  });
  return {
    show(next) {
      const now = view.state.doc.toString();
      if (now !== next) view.dispatch({ changes: difference(now, next) });
    },
    setLanguage: (next) => view.dispatch({ effects: spoken.reconfigure(grammar(next, schema)) }),
    focus(at) {
      view.dispatch({ selection: { anchor: Math.min(at, view.state.doc.length) } });
      view.focus();
    },
    destroy: () => view.destroy(),
  };
}

/** The range in which two texts differ. */
function difference(before: string, after: string) {
  const shorter = Math.min(before.length, after.length);
  let from = 0;
  while (from < shorter && before[from] === after[from]) from++;
  let same = 0;
  while (same < shorter - from && before[before.length - 1 - same] === after[after.length - 1 - same]) same++;
  return { from, to: before.length - same, insert: after.slice(from, after.length - same) };
}
