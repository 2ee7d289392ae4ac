import { Disk } from "@pulumi/gcp/compute/disk.js";
import { DiskResourcePolicyAttachment } from "@pulumi/gcp/compute/diskResourcePolicyAttachment.js";
import { ResourcePolicy } from "@pulumi/gcp/compute/resourcePolicy.js";
import * as pulumi from "@pulumi/pulumi";

import type { StackLabels } from "./stack-labels.ts";

/** Arguments of the disks. */
export interface DisksArgs {
  /** Prefix of the disks' names. */
  prefix: string;
  /** Google region, the zone's: where the snapshots are kept. */
  region: string;
  /** Google zone, the cluster's: a zonal disk can be attached in its own zone only. */
  zone: string;
  /** Size of Prometheus' disk, GiB. */
  prometheusGb: number;
  /** Size of the push gateway's disk, GiB. */
  pushGatewayGb: number;
  /** Size of Grafana's disk, GiB. */
  grafanaGb: number;
  /** Size of Alertmanager's disk, GiB. */
  alertmanagerGb: number;
  /** Whether the engine refuses to delete them, whatever the program says. */
  protect: boolean;
  /** Labels of the disks and their snapshots. */
  labels: StackLabels;
  /** The APIs that have to be on. */
  apis: pulumi.Input<pulumi.Resource[]>;
}

/** When the daily snapshot starts, UTC: after a night's runs on either side of the Atlantic. */
const SNAPSHOT_TIME = "12:00";
/** How long a snapshot is kept, in days. */
const SNAPSHOT_DAYS = 14;

/** A disk, as the workloads use it. */
export interface DiskRef {
  /** The id as the CSI driver wants it: projects/P/zones/Z/disks/NAME. */
  id: pulumi.Output<string>;
  /** Size in GiB. */
  sizeGb: number;
}

/**
 * The disks that hold what must not be lost. They belong to nobody's pod and to no cluster: deleting the
 * cluster, or making it anew, leaves them. Each is copied every day, for what a disk alone doesn't save from:
 * a mistake. The copies stay when a disk is deleted.
 */
export class Disks extends pulumi.ComponentResource {
  /** Five years of series. */
  readonly prometheus: DiskRef;
  /** What was pushed last. */
  readonly pushGateway: DiskRef;
  /** Grafana's own database. */
  readonly grafana: DiskRef;
  /** Silences and the log of sent messages. */
  readonly alertmanager: DiskRef;

  constructor(name: string, args: DisksArgs, opts?: pulumi.ComponentResourceOptions) {
    super("k8sfv:google:Disks", name, {}, opts);
    const schedule = new ResourcePolicy(
      `${name}-snapshots`,
      {
        name: `${args.prefix}-snapshots`,
        description: `Daily snapshots of the disks of ${args.prefix}`,
        region: args.region,
        snapshotSchedulePolicy: {
          schedule: { dailySchedule: { daysInCycle: 1, startTime: SNAPSHOT_TIME } },
          retentionPolicy: {
            maxRetentionDays: SNAPSHOT_DAYS,
            onSourceDiskDelete: "KEEP_AUTO_SNAPSHOTS",
          },
          snapshotProperties: { storageLocations: args.region, labels: args.labels },
        },
      },
      { parent: this, dependsOn: args.apis },
    );

    const make = (what: string, sizeGb: number): DiskRef => {
      const disk = new Disk(
        `${name}-${what}`,
        {
          name: `${args.prefix}-${what}`,
          description: `Data of the ${what} of ${args.prefix}`,
          zone: args.zone,
          type: "pd-balanced",
          size: sizeGb,
          labels: { ...args.labels, component: what },
        },
        // A disk that was restored tells of its snapshot, and neither can be changed later: it stays as it is.
        {
          parent: this,
          protect: args.protect,
          dependsOn: args.apis,
          ignoreChanges: ["snapshot", "description"],
        },
      );
      new DiskResourcePolicyAttachment(
        `${name}-${what}-snapshots`,
        { name: schedule.name, disk: disk.name, zone: args.zone },
        { parent: this },
      );
      return { id: disk.id, sizeGb };
    };

    this.prometheus = make("prometheus", args.prometheusGb);
    this.pushGateway = make("push-gateway", args.pushGatewayGb);
    this.grafana = make("grafana", args.grafanaGb);
    this.alertmanager = make("alertmanager", args.alertmanagerGb);
    this.registerOutputs({
      prometheus: this.prometheus.id,
      pushGateway: this.pushGateway.id,
      grafana: this.grafana.id,
      alertmanager: this.alertmanager.id,
    });
  }
}
