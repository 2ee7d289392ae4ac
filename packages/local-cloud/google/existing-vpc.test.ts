import { expect, test } from "vitest";
import { cloudWithNetwork, drop, fitting, made, make, testCloud, tokens } from "./testing.ts";

const inDefault = {
  ...fitting.subnetwork,
  network: "default",
  ipCidrRange: "10.48.0.0/20",
  secondaryIpRanges: [{ rangeName: "pods", ipCidrRange: "10.52.0.0/16" }],
};

test("creates a subnetwork in the default network, outside of the auto mode range", async () => {
  const cloud = testCloud();
  const taken = { ...inDefault, ipCidrRange: "10.200.0.0/16" };
  await expect(make(cloud, "Subnetwork", taken)).rejects.toThrow(
    "Invalid value for field 'resource.ipCidrRange': '10.200.0.0/16'. " +
      "Extended subnetworks in auto subnet mode networks cannot overlap with 10.128.0.0/9., invalid",
  );
  const pods = [{ rangeName: "pods", ipCidrRange: "10.0.0.0/8" }];
  await expect(
    make(cloud, "Subnetwork", { ...inDefault, ipCidrRange: "192.168.0.0/20", secondaryIpRanges: pods }),
  ).rejects.toThrow("'resource.secondaryIpRanges[0].ipCidrRange': '10.0.0.0/8'. Extended subnetworks");
  const subnetwork = await make(cloud, "Subnetwork", inDefault);
  const link = "https://www.googleapis.com/compute/v1/projects/calico-test/global/networks/default";
  expect(subnetwork.state["network"]).toBe(link);
  const found = await cloud.provider.invoke("gcp:compute/getNetwork:getNetwork", { name: "default" });
  expect(found).toMatchObject({
    id: "projects/calico-test/global/networks/default",
    selfLink: link,
    subnetworksSelfLinks: [subnetwork.state["selfLink"]],
  });
});

test("reports a missing network", async () => {
  const { provider } = testCloud();
  await expect(provider.invoke("gcp:compute/getNetwork:getNetwork", { name: "ci" })).rejects.toThrow(
    "Network Not Found : ci: googleapi: Error 404: The resource 'projects/calico-test/global/networks/ci' was not found, notFound",
  );
});

const link = (name: string) =>
  `https://www.googleapis.com/compute/v1/projects/calico-test/global/networks/${name}`;
const half = (from: string, to: string) => ({
  name: `${from}-to-${to}`,
  network: link(from),
  peerNetwork: link(to),
});

test("activates a peering when both sides exist, and rejects overlapping ranges", async () => {
  const cloud = testCloud();
  const network = await make(cloud, "Network", fitting.network);
  const there = await make(cloud, "NetworkPeering", half("k8sfv", "default"));
  expect(there.id).toBe("k8sfv/k8sfv-to-default");
  expect(there.state["state"]).toBe("INACTIVE");
  const back = await make(cloud, "NetworkPeering", half("default", "k8sfv"));
  expect(back.state["state"]).toBe("ACTIVE");
  const { id, inputs } = there;
  const read = { type: tokens.NetworkPeering, name: "one", id, inputs, state: {} };
  expect((await cloud.provider.read(read))?.state["state"]).toBe("ACTIVE");
  const imported = await cloud.provider.read({ ...read, id: `calico-test/${id}`, inputs: {} });
  expect(imported).toMatchObject({ id, inputs });
  await expect(cloud.provider.read({ ...read, inputs: {} })).rejects.toThrow(
    "Error parsing network peering import format, expected: {project}/{network}/{name}",
  );
  await expect(make(cloud, "Subnetwork", fitting.subnetwork)).rejects.toThrow(
    "'10.248.0.0/20'. Invalid IPCidrRange: 10.248.0.0/20 conflicts with peer network in active peering 'k8sfv-to-default'.",
  );
  await make(cloud, "Subnetwork", {
    ...fitting.subnetwork,
    ipCidrRange: "10.48.0.0/20",
    secondaryIpRanges: [],
  });
  await drop(cloud, "NetworkPeering", there);
  await drop(cloud, "NetworkPeering", back);
  expect((await cloud.provider.read(read))?.state).toBeUndefined();
  await expect(drop(cloud, "Network", network)).rejects.toThrow("is already being used by");
});

test("rejects a peering while a subnetwork of one network is being created", async () => {
  const cloud = testCloud();
  await make(cloud, "Network", fitting.network);
  await make(cloud, "Network", { ...fitting.network, name: "ci" });
  const { machines } = cloud;
  let done = (): void => undefined;
  machines.startNetwork = () => new Promise((resolve) => (done = resolve));
  const creating = make(cloud, "Subnetwork", fitting.subnetwork);
  await expect.poll(() => made(cloud)).toHaveLength(3);
  for (const [from, to] of [
    ["k8sfv", "ci"],
    ["ci", "k8sfv"],
  ] as const) {
    await expect(make(cloud, "NetworkPeering", half(from, to))).rejects.toThrow(
      "Error adding network peering: googleapi: Error 400: There is a route operation in progress on the local or peer " +
        "network. Try again later., badRequest",
    );
  }
  done();
  await creating;
  await make(cloud, "NetworkPeering", half("k8sfv", "ci"));
});

test("rejects a peering of an auto mode network with one that uses the auto mode range", async () => {
  const { cloud } = await cloudWithNetwork();
  await expect(make(cloud, "NetworkPeering", half("k8sfv", "default"))).rejects.toThrow(
    "Error adding network peering: googleapi: Error 400: An IP range in the peer network (10.128.0.0/9) " +
      "overlaps with an IP range (10.248.0.0/20) in the local network (k8sfv).",
  );
});

const nat = { router: "r", natIpAllocateOption: "AUTO_ONLY" };
const ofSubnetwork = (...sourceIpRangesToNats: string[]) => ({
  ...nat,
  sourceSubnetworkIpRangesToNat: "LIST_OF_SUBNETWORKS",
  subnetworks: [{ name: "k8sfv", sourceIpRangesToNats }],
});

async function cloudWithRouters() {
  const { cloud, subnetwork } = await cloudWithNetwork();
  await make(cloud, "Router", { name: "r", network: "k8sfv" });
  await make(cloud, "Router", { name: "other", network: "k8sfv" });
  return { cloud, subnetwork };
}

test("allows two NATs for different ranges of a network", async () => {
  const { cloud, subnetwork } = await cloudWithRouters();
  await make(cloud, "RouterNat", { ...ofSubnetwork("PRIMARY_IP_RANGE"), name: "nodes" });
  const pods = ofSubnetwork("LIST_OF_SECONDARY_IP_RANGES");
  const named = [{ ...pods.subnetworks[0], secondaryIpRangeNames: ["pods"] }];
  await make(cloud, "RouterNat", { ...pods, subnetworks: named, router: "other", name: "pods" });
  await expect(
    make(cloud, "RouterNat", { ...ofSubnetwork("PRIMARY_IP_RANGE"), name: "second" }),
  ).rejects.toThrow(
    "'resource.nats[0].subnetworks[0].sourceIpRangesToNat[0]': 'PRIMARY_IP_RANGE'. Can not specify PRIMARY_IP_RANGE " +
      "for the Subnetwork since it is already configured for Nat with the option PRIMARY_IP_RANGE.",
  );
  await expect(
    make(cloud, "RouterNat", { ...ofSubnetwork("ALL_IP_RANGES"), name: "second" }),
  ).rejects.toThrow("The subnetwork is already configured with PRIMARY_IP_RANGE for Nat which conflicts");
  await expect(drop(cloud, "Subnetwork", subnetwork)).rejects.toThrow(
    "is already being used by 'projects/calico-test/regions/us-central1/routers/r'",
  );
});

test("rejects another NAT next to one for all ranges", async () => {
  const { cloud } = await cloudWithRouters();
  const all = { ...nat, sourceSubnetworkIpRangesToNat: "ALL_SUBNETWORKS_ALL_IP_RANGES" };
  await make(cloud, "RouterNat", { ...all, name: "all" });
  await expect(
    make(cloud, "RouterNat", { ...ofSubnetwork("ALL_IP_RANGES"), router: "other", name: "one" }),
  ).rejects.toThrow("Can not create new Nats since a Nat with option ALL_SUBNETWORKS_ALL_IP_RANGES exists.");
});

test("separates the NATs of different regions", async () => {
  const { cloud } = await cloudWithRouters();
  const there = { region: "us-east1", network: "k8sfv" };
  await make(cloud, "Router", { ...there, name: "r" });
  const all = { ...nat, sourceSubnetworkIpRangesToNat: "ALL_SUBNETWORKS_ALL_IP_RANGES" };
  await make(cloud, "RouterNat", { ...all, region: "us-east1", name: "all" });
  const subnetworks = [
    {
      name: "projects/calico-test/regions/us-central1/subnetworks/k8sfv",
      sourceIpRangesToNats: ["ALL_IP_RANGES"],
    },
  ];
  await expect(
    make(cloud, "RouterNat", {
      ...ofSubnetwork("ALL_IP_RANGES"),
      subnetworks,
      region: "us-east1",
      name: "x",
    }),
  ).rejects.toThrow("The subnetwork must be in the same region as the NAT, 'us-east1'.");
  await make(cloud, "RouterNat", { ...ofSubnetwork("ALL_IP_RANGES"), name: "here" });
});

test("rejects a NAT without subnetworks, with an unknown kind of ranges or with a missing subnetwork", async () => {
  const { cloud } = await cloudWithRouters();
  const wrong = (inputs: object) => make(cloud, "RouterNat", { ...ofSubnetwork("ALL_IP_RANGES"), ...inputs });
  await expect(wrong({ subnetworks: undefined })).rejects.toThrow("must be given");
  await expect(wrong({ subnetworks: [{ name: "k8sfv", sourceIpRangesToNats: ["SOME"] }] })).rejects.toThrow(
    'to be one of ["ALL_IP_RANGES" "LIST_OF_SECONDARY_IP_RANGES" "PRIMARY_IP_RANGE"], got SOME',
  );
  const absent = [{ name: "absent", sourceIpRangesToNats: ["ALL_IP_RANGES"] }];
  await expect(wrong({ name: "n", subnetworks: absent })).rejects.toThrow(
    "subnetworks/absent' was not found",
  );
});
