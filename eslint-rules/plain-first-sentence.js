/**
 * Matches a sentence that starts with a relative clause without a noun. Such a first sentence does not say what the
 * thing is.
 */
const HEADLESS = /^(what|who|whom|whose|those|of (those|these|what|which|each))\b/i;

/** Functions whose first argument is a test title. */
const TESTS = new Set(["test", "it", "describe"]);

/**
 * Reports doc comments and test titles that begin with a headless relative clause ("What …", "Who …", "Those that …").
 * CONTRIBUTING.md explains the style.
 *
 * @type {import("eslint").Rule.RuleModule}
 */
export default {
  meta: {
    type: "suggestion",
    schema: [],
    messages: {
      comment:
        'Begin the doc comment with a noun or verb instead of "{{start}}" (CONTRIBUTING.md, "Language")',
      title:
        'Describe the behavior in the test title instead of beginning with "{{start}}" (CONTRIBUTING.md, "Language")',
    },
  },
  create(context) {
    return {
      Program() {
        for (const comment of context.sourceCode.getAllComments()) {
          if (comment.type !== "Block" || !comment.value.startsWith("*") || !comment.loc) continue;
          const [start] = HEADLESS.exec(comment.value.replace(/^[\s*]+/, "")) ?? [];
          if (start !== undefined)
            context.report({ loc: comment.loc, messageId: "comment", data: { start } });
        }
      },
      CallExpression({ callee, arguments: [title] }) {
        if (title?.type !== "Literal" || typeof title.value !== "string") return;
        const [start] = TESTS.has(testName(callee) ?? "") ? (HEADLESS.exec(title.value) ?? []) : [];
        if (start !== undefined) context.report({ node: title, messageId: "title", data: { start } });
      },
    };
  },
};

/**
 * Returns the name at the start of a callee: `test` for `test(…)`, `test.skip(…)` and `test.each(…)(…)`.
 *
 * @param {import("estree").CallExpression["callee"]} callee
 * @returns {string | undefined}
 */
function testName(callee) {
  if (callee.type === "Identifier") return callee.name;
  if (callee.type === "MemberExpression" && callee.object.type !== "Super") return testName(callee.object);
  return callee.type === "CallExpression" ? testName(callee.callee) : undefined;
}
