import { imagesToOverride } from "../images/names.ts";
import { images } from "../project/images.ts";

const grafanaKey = "k8sfv-metrics:grafana";
/** Configuration key of the images. */
export const imagesKey = "k8sfv-metrics:images";

/** A stack file, with the fields that this package uses. */
export interface StackFile {
  encryptionsalt?: string;
  config: Record<string, unknown> & {
    [grafanaKey]?: { tunnelPort?: number; [key: string]: unknown };
    [imagesKey]?: Record<string, string>;
  };
}

/**
 * Returns a cloud's own copy of the project's stack file, into which the engine writes the encryption salt. Clouds that
 * run at the same time need different tunnel ports, so a cloud keeps its own port, unless the project's stack file sets
 * one.
 *
 * @param wanted the project's stack file
 * @param before the cloud's copy from its previous start; empty at the first start
 * @param port tunnel port of a new copy
 * @param pinned images of versions.ts. The copy overrides each image that has a digest with its name without the
 * digest, because images built here have other digests
 */
export function cloudStackFile(
  wanted: StackFile,
  before: Partial<StackFile>,
  port: number,
  pinned: Readonly<Record<string, string>> = images,
): StackFile {
  const tunnelPort = before.config?.[grafanaKey]?.tunnelPort ?? port;
  const grafana = { tunnelPort, ...wanted.config[grafanaKey] };
  const overrides = { ...imagesToOverride(pinned), ...wanted.config[imagesKey] };
  return {
    ...before,
    config: {
      ...wanted.config,
      [grafanaKey]: grafana,
      ...(Object.keys(overrides).length === 0 ? {} : { [imagesKey]: overrides }),
    },
  };
}
