import { ApiError } from "../model/api-error.ts";
import type { Data } from "../model/store.ts";
import { subnetworkToken } from "./subnetwork-ranges.ts";

/**
 * Checks that no route operation is in progress in the networks, i.e. no subnetwork is being created or deleted. The
 * real provider fails too, without a retry (terraform-provider-google#3034).
 *
 * @param networks paths of both networks of a peering
 * @throws ApiError with Google's message
 */
export function checkRouteOperations(data: Data, networks: string[]): void {
  const isChanging = Object.values(data.resources).some(
    ({ type, status, uses }) =>
      type === subnetworkToken && status !== "ready" && uses.some((path) => networks.includes(path)),
  );
  if (!isChanging) return;
  const text = "There is a route operation in progress on the local or peer network. Try again later.";
  throw new ApiError(400, text, "badRequest");
}
