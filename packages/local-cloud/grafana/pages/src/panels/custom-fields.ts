import {
  type FieldConfigEditorBuilder,
  type FieldConfigProperty,
  identityOverrideProcessor,
  type PanelPlugin,
} from "@grafana/data";

/**
 * Registers field options of a panel with their defaults. Only registered options are applied to data.
 *
 * @param defaults defaults by name, as in dashboards under `fieldConfig.defaults.custom`
 */
export function useFields<P extends PanelPlugin>(
  plugin: P,
  defaults: Record<string, unknown>,
  standard: Partial<Record<FieldConfigProperty, { defaultValue: unknown }>> = {},
): P {
  plugin.useFieldConfig({
    standardOptions: standard,
    useCustomConfig: (builder: FieldConfigEditorBuilder<Record<string, unknown>>) => {
      for (const [name, defaultValue] of Object.entries(defaults)) {
        builder.addCustomEditor({
          id: name,
          path: name,
          name,
          defaultValue,
          editor: () => null,
          override: () => null,
          process: identityOverrideProcessor,
          shouldApply: () => true,
        });
      }
    },
  });
  return plugin;
}
