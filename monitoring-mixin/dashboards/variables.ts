import * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";
import { SOURCE } from "./data-sources.ts";

/**
 * Returns a label matcher for the selected values of a variable. Grafana's default format doesn't escape `"` and
 * newlines and turns `'` into `\\'`, which breaks queries (grafana/grafana#96063). PromQL doesn't interpret escapes
 * between backticks, so all values work except those with a backtick.
 *
 * @param label - name of the label. Default: the variable's name
 */
export function chosen(variable: string, label = variable): string {
  return `${label}=~\`\${${variable}:regex}\``;
}

/**
 * Like {@link chosen}, for test names, which may contain backticks. None of Grafana's formats escapes a backtick
 * without breaking names with backslashes or newlines. So the variable's value is the name up to its first backtick
 * (leading backticks are removed), and the matcher accepts any text from that backtick on. Tests that differ only after
 * a backtick are selected together.
 */
export function chosenTests(variable: string): string {
  return `test_name=~\`\\x60*\${${variable}:regex}(\\x60.*)?\``;
}

/** Regex for test names: `value` is the variable's value (see {@link chosenTests}), `text` is shown in the list. */
const TEST_NAME = "/^(?<text>`*(?<value>[^`]+)[^]*)$/";
/** Regex for code levels: the drop-down list shows a URL without its host. */
const CODE_LEVEL = "/^(?<value>(?:https?:\\/\\/[^\\/]+\\/)?(?<text>.+))$/";

/** Arguments of a variable. */
export interface VariableArgs {
  name: string;
  label: string;
  description: string;
  /** PromQL selector of the series whose label values can be selected. */
  series: string;
  /** Name of the label. @default `name` */
  of?: string;
  /** Whether only one value can be selected. @default false */
  single?: boolean;
}

/** Returns a variable with all values that a label has in the dashboard's time range. */
export function variable(args: VariableArgs): dashboard.QueryVariableBuilder {
  const label = args.of ?? args.name;
  const query = `label_values(${args.series}, ${label})`;
  const builder = new dashboard.QueryVariableBuilder(args.name)
    .label(args.label)
    .description(args.description)
    .datasource(SOURCE)
    .query({ query, refId: args.name, qryType: 1 })
    .definition(query)
    .refresh(dashboard.VariableRefresh.OnTimeRangeChanged)
    .sort(dashboard.VariableSort.NaturalAsc);
  if (label === "code_level") builder.regex(CODE_LEVEL);
  if (label === "test_name") builder.regex(TEST_NAME);
  if (args.single === true) return builder;
  return (
    builder
      .multi(true)
      .includeAll(true)
      // By default, Grafana replaces "All" by a list of all values, which would make queries very long.
      .allValue(".+")
      .current({ selected: true, text: ["All"], value: ["$__all"] })
  );
}
