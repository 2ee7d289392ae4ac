import fc from "fast-check";
import { expect, test } from "vitest";
import { freePodRanges } from "./model/allocation.ts";
import { range } from "./model/cidr.ts";
import { change, cloudWithNetwork, drop, fitting, made, make, testCloud } from "./testing.ts";

const internal = { addressType: "INTERNAL", subnetwork: "k8sfv" };

test("starts the VPC's hosts with its subnetwork, and rejects the deletion of a network in use", async () => {
  const { cloud, network, subnetwork } = await cloudWithNetwork();
  expect(network.id).toBe("projects/calico-test/global/networks/k8sfv");
  expect(subnetwork.state).toMatchObject({
    gatewayAddress: "10.248.0.1",
    network: "https://www.googleapis.com/compute/v1/projects/calico-test/global/networks/k8sfv",
    region: "us-central1",
  });
  expect(cloud.calls).toEqual(["startNetwork 10.248.0.0/20 10.248.0.1"]);
  await expect(drop(cloud, "Network", network)).rejects.toThrow(
    "The network resource 'projects/calico-test/global/networks/k8sfv' is already being used by " +
      "'projects/calico-test/regions/us-central1/subnetworks/k8sfv'",
  );
  await drop(cloud, "Subnetwork", subnetwork);
  await drop(cloud, "Network", network);
  expect(made(cloud)).toEqual([]);
  expect(cloud.calls.at(-1)).toBe("stopNetwork");
});

test("rejects invalid arguments with Google's messages", async () => {
  const cloud = testCloud();
  const network = (inputs: object) => make(cloud, "Network", { ...fitting.network, ...inputs });
  await expect(network({ name: "Bad_Name" })).rejects.toThrow(
    "Invalid value for field 'resource.name': 'Bad_Name'. Must be a match of regex '(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)'",
  );
  await expect(network({ mtu: 1 })).rejects.toThrow("expected mtu to be in the range (1300 - 8896), got 1");
  await expect(network({ colour: "red" })).rejects.toThrow('Invalid or unknown key: "colour"');
  const subnetwork = (inputs: object) => make(cloud, "Subnetwork", { ...fitting.subnetwork, ...inputs });
  await expect(subnetwork({ ipCidrRange: "10.248.0.1/20" })).rejects.toThrow(
    "'10.248.0.1/20'. Must be a CIDR",
  );
  await expect(subnetwork({ ipCidrRange: "10.252.0.0/20" })).rejects.toThrow(
    "overlaps with resource.ipCidrRange",
  );
  await expect(subnetwork({ network: undefined })).rejects.toThrow('The argument "network" is required');
  await expect(subnetwork({})).rejects.toThrow(
    "Error creating Subnetwork: googleapi: Error 404: The resource 'projects/calico-test/global/networks/k8sfv' was not found, notFound",
  );
  const rule = { network: "k8sfv", sourceRanges: ["10.0.0.0/8"] };
  await expect(make(cloud, "Firewall", rule)).rejects.toThrow("one of `allow,deny` must be specified");
  await expect(
    make(cloud, "Firewall", { ...rule, allows: [{ protocol: "tcp", ports: ["70000"] }] }),
  ).rejects.toThrow("'70000'. Must be a port");
  const open = { network: "k8sfv", allows: [{ protocol: "tcp" }] };
  await expect(make(cloud, "Firewall", open)).rejects.toThrow(
    "one of source_tags, source_ranges, or source_service_accounts must be defined",
  );
  await expect(make(cloud, "Firewall", { ...open, sourceRanges: [] })).rejects.toThrow("must be defined");
});

test("accepts tags as sources of ingress rules, and egress rules without sources", async () => {
  const { cloud } = await cloudWithNetwork();
  const rule = { network: "k8sfv", allows: [{ protocol: "tcp" }] };
  await make(cloud, "Firewall", { ...rule, name: "in", sourceTags: ["ci"] });
  await make(cloud, "Firewall", { ...rule, name: "out", direction: "EGRESS" });
});

test("rejects existing names and ranges", async () => {
  const { cloud } = await cloudWithNetwork();
  await expect(make(cloud, "Network", fitting.network)).rejects.toThrow(
    "Error 409: The resource 'projects/calico-test/global/networks/k8sfv' already exists, alreadyExists",
  );
  await expect(make(cloud, "Subnetwork", { ...fitting.subnetwork, name: "other" })).rejects.toThrow(
    "Invalid IPCidrRange: 10.248.0.0/20 conflicts with existing subnetwork 'k8sfv' in region 'us-central1'.",
  );
});

test("reserves an address only if it is free and in the subnetwork", async () => {
  const { cloud } = await cloudWithNetwork();
  const gateway = await make(cloud, "Address", { ...internal, name: "gw", address: "10.248.1.4" });
  expect(gateway.state["address"]).toBe("10.248.1.4");
  const any = await make(cloud, "Address", { ...internal, name: "any" });
  expect(any.state["address"]).toBe("10.248.0.2");
  const reserve = (address: string) => make(cloud, "Address", { ...internal, name: "no", address });
  await expect(reserve("10.248.1.4")).rejects.toThrow("'10.248.1.4'. Specified IP address is in-use");
  await expect(reserve("10.247.1.4")).rejects.toThrow("outside the subnetwork CIDR range");
  await expect(reserve("10.248.0.1")).rejects.toThrow("reserved address of the subnetwork");
  await expect(reserve("10.248.15.253")).rejects.toThrow("CI host");
});

test("updates or replaces resources, depending on the changed argument", async () => {
  const { cloud, subnetwork } = await cloudWithNetwork();
  const to = (inputs: object) =>
    change(cloud, "Subnetwork", subnetwork, { ...fitting.subnetwork, ...inputs });
  const link = "https://www.googleapis.com/compute/v1/projects/calico-test/global/networks/k8sfv";
  expect(await to({ network: link })).toMatchObject({ changed: false });
  expect(await to({ ipCidrRange: "10.248.0.0/21" })).toMatchObject({
    replace: ["ipCidrRange"],
    deleteBeforeReplace: true,
  });
  expect(await to({ privateIpGoogleAccess: true })).toMatchObject({ changed: true, replace: [] });
});

test("rejects changed and swapped secondary ranges", async () => {
  const { cloud, subnetwork } = await cloudWithNetwork();
  const pods = { rangeName: "pods", ipCidrRange: "10.252.0.0/16" };
  const services = { rangeName: "services", ipCidrRange: "10.249.0.0/20" };
  const to = (...secondaryIpRanges: (typeof pods)[]) =>
    change(cloud, "Subnetwork", subnetwork, { ...fitting.subnetwork, secondaryIpRanges });
  const other = { rangeName: "services", ipCidrRange: "10.250.0.0/20" };
  await expect(to(pods, other)).rejects.toThrow(
    "Invalid value for field 'resource.secondaryIpRanges[1].ipCidrRange': '10.250.0.0/20'. " +
      "Existing secondary range cannot be modified: 10.250.0.0/20., invalid",
  );
  const more = { rangeName: "more", ipCidrRange: "10.250.0.0/20" };
  await expect(to(pods, more)).rejects.toThrow(
    "Invalid value for field 'resource.secondaryIpRanges': ''. Cannot add and remove secondary IP ranges in " +
      "the same request. Added ranges: [10.250.0.0/20]. \nRemoved ranges: [10.249.0.0/20]., invalid",
  );
  expect(await to(services, pods, more)).toMatchObject({ changed: true, replace: [] });
  expect(await to(pods)).toMatchObject({ changed: true, replace: [] });
});

test("deletes a router with its NAT", async () => {
  const { cloud } = await cloudWithNetwork();
  const router = await make(cloud, "Router", { name: "r", network: "k8sfv" });
  const all = { router: "r", sourceSubnetworkIpRangesToNat: "ALL_SUBNETWORKS_ALL_IP_RANGES" };
  const nat = await make(cloud, "RouterNat", { ...all, name: "nat" });
  expect(nat.id).toBe("calico-test/us-central1/r/nat");
  await expect(make(cloud, "RouterNat", { ...all, name: "second" })).rejects.toThrow(
    "Can not create new Nats",
  );
  await drop(cloud, "Router", router);
  expect(made(cloud)).toHaveLength(2);
});

test("assigns consecutive pod ranges in the cluster's range until it is exhausted", () => {
  const data = { resources: {}, faults: {} };
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 16, max: 26 }), (octet, prefix) => {
      const all = range(`10.${octet}.0.0/${prefix}`);
      const count = Math.floor(2 ** (24 - prefix));
      const found = freePodRanges(data, "k8sfv", all.toString(), count);
      expect(found).toEqual(Array.from({ length: count }, (_, n) => `10.${octet}.${n}.0/24`));
      expect(() => freePodRanges(data, "k8sfv", all.toString(), count + 1)).toThrow(
        `in the IP range '10.${octet}.0.0/${prefix}'`,
      );
    }),
  );
});
