import {
  type FieldDisplay,
  getDisplayValueAlignmentFactors,
  getFieldDisplayValues,
  PanelPlugin,
  type PanelProps,
  type ReduceDataOptions,
  VizOrientation,
} from "@grafana/data";
import {
  BigValue,
  BigValueColorMode,
  BigValueGraphMode,
  BigValueJustifyMode,
  BigValueTextMode,
  useTheme2,
  VizRepeater,
  type VizRepeaterRenderValueProps,
} from "@grafana/ui";
import { useFields } from "./custom-fields.ts";

interface Options {
  reduceOptions: ReduceDataOptions;
  colorMode: BigValueColorMode;
  graphMode: BigValueGraphMode;
  justifyMode: BigValueJustifyMode;
  textMode: BigValueTextMode;
  orientation: VizOrientation;
}

const DEFAULTS: Options = {
  reduceOptions: { calcs: ["lastNotNull"], fields: "", values: false },
  colorMode: BigValueColorMode.Value,
  graphMode: BigValueGraphMode.Area,
  justifyMode: BigValueJustifyMode.Auto,
  textMode: BigValueTextMode.Auto,
  orientation: VizOrientation.Auto,
};

function StatPanel(props: PanelProps<Options>) {
  const theme = useTheme2();
  const options = { ...DEFAULTS, ...props.options };
  const getValues = () =>
    getFieldDisplayValues({
      fieldConfig: props.fieldConfig,
      reduceOptions: options.reduceOptions,
      replaceVariables: props.replaceVariables,
      theme,
      data: props.data.series,
      sparkline: options.graphMode !== BigValueGraphMode.None,
      timeZone: props.timeZone,
    });
  const draw = ({
    value,
    alignmentFactors,
    width,
    height,
    count,
  }: VizRepeaterRenderValueProps<FieldDisplay, ReturnType<typeof getDisplayValueAlignmentFactors>>) => (
    <BigValue
      value={value.display}
      count={count}
      sparkline={value.sparkline}
      colorMode={options.colorMode}
      graphMode={options.graphMode}
      justifyMode={options.justifyMode}
      textMode={textMode(options, value)}
      alignmentFactors={alignmentFactors}
      width={width}
      height={height}
      theme={theme}
    />
  );
  return (
    <VizRepeater
      getValues={getValues}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      renderValue={draw}
      width={props.width}
      height={props.height}
      source={props.data}
      autoGrid
      renderCounter={props.renderCounter}
      orientation={options.orientation}
    />
  );
}

/** Returns the text mode for a value. In the mode "auto", a value without a name is shown alone. */
function textMode(options: Options, value: FieldDisplay): BigValueTextMode {
  if (options.textMode !== BigValueTextMode.Auto) return options.textMode;
  return value.name === "" ? BigValueTextMode.Value : BigValueTextMode.Auto;
}

/** Panel that shows one number for each series. */
export const stat = useFields(new PanelPlugin<Options>(StatPanel), {});
