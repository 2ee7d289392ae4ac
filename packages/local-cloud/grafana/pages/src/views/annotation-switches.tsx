import { ControlsLabel, type dataLayers } from "@grafana/scenes";
import { Stack } from "@grafana/ui";

/** Shows a switch for each annotation query of the dashboard. */
export function AnnotationSwitches({ layers }: { layers: dataLayers.AnnotationsDataLayer[] }) {
  return layers.map((layer) => (
    <Stack key={layer.state.key} gap={0}>
      <ControlsLabel htmlFor={`data-layer-${layer.state.key ?? ""}`} label={layer.state.name} />
      <layer.Component model={layer} />
    </Stack>
  ));
}
