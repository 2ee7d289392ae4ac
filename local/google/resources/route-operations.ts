import { ApiError } from "../api-error.ts";
import type { Data } from "../store.ts";
import { subnetworkToken } from "./subnetwork-ranges.ts";

/**
 * Refuses a peering while the routes of one of its networks change: a subnetwork is being created or deleted there.
 * The real provider doesn't retry (terraform-provider-google#3034).
 *
 * @param networks paths of both networks
 * @throws ApiError in Google's words
 */
export function refuseDuringRouteOperation(data: Data, networks: string[]): void {
  const isChanging = Object.values(data.resources).some(
    ({ type, status, uses }) =>
      type === subnetworkToken && status !== "ready" && uses.some((path) => networks.includes(path)),
  );
  if (!isChanging) return;
  const text = "There is a route operation in progress on the local or peer network. Try again later.";
  throw new ApiError(400, text, "badRequest");
}
