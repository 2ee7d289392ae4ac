/** The parts of a PersistentVolume's volume handle. */
export interface DiskReference {
  project: string;
  zone: string;
  disk: string;
}

/** Form of a volume handle. The disk name follows Google's rules, which exclude path traversal. */
const form = /^projects\/([a-z0-9.:-]+)\/zones\/([a-z0-9-]+)\/disks\/([a-z](?:[a-z0-9-]{0,61}[a-z0-9])?)$/;

/** Parses `projects/P/zones/Z/disks/NAME`. Returns undefined if the handle has another form. */
export function parseVolumeHandle(handle: string): DiskReference | undefined {
  const [, project, zone, disk] = form.exec(handle) ?? [];
  if (project === undefined || zone === undefined || disk === undefined) return undefined;
  return { project, zone, disk };
}
