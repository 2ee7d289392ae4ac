/** A disk as the handle of a PersistentVolume names it. */
export interface DiskReference {
  project: string;
  zone: string;
  disk: string;
}

/** Names that Google's API accepts for a disk; none of them can lead out of a folder. */
const form = /^projects\/([a-z0-9.:-]+)\/zones\/([a-z0-9-]+)\/disks\/([a-z](?:[a-z0-9-]{0,61}[a-z0-9])?)$/;

/** Reads `projects/P/zones/Z/disks/NAME`; undefined when the handle is not of that form. */
export function parseVolumeHandle(handle: string): DiskReference | undefined {
  const [, project, zone, disk] = form.exec(handle) ?? [];
  if (project === undefined || zone === undefined || disk === undefined) return undefined;
  return { project, zone, disk };
}
