import type { DashboardModel } from "./model.ts";

/** Thrown if the server responds with an error status. */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = "ApiError";
    this.status = status;
  }
}

/** A dashboard in the list and in links. */
export interface SearchHit {
  uid: string;
  title: string;
  url: string;
  folderTitle?: string;
  tags: string[];
}

/** The signed-in user. */
export interface User {
  login: string;
}

/** A data source in Grafana's frontend settings. */
export interface DataSourceSettings {
  uid: string;
  name: string;
  type: string;
  isDefault?: boolean;
}

/**
 * Sends a request to the server that the page came from, with the session's cookie.
 *
 * @param body body, sent as JSON by POST; without it the method is GET
 * @throws ApiError if the status isn't 2xx, with the message of the response
 */
export async function request<T>(path: string, body?: unknown): Promise<T> {
  const response = await fetch(path, {
    method: body === undefined ? "GET" : "POST",
    headers: { Accept: "application/json", "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new ApiError(response.status, messageOf(text) ?? `status ${response.status}`);
  return JSON.parse(text) as T;
}

function messageOf(text: string): string | undefined {
  try {
    return (JSON.parse(text) as { message?: string }).message;
  } catch {
    return undefined;
  }
}

/** Returns the signed-in user; undefined if anonymous. */
export async function currentUser(): Promise<User | undefined> {
  try {
    return await request<User>("/api/user");
  } catch (error) {
    if (error instanceof ApiError && error.status >= 400 && error.status < 500) return undefined;
    throw error;
  }
}

/** Starts a session, for which the server sets a cookie. */
export async function signIn(user: string, password: string): Promise<void> {
  await request("/login", { user, password });
}

/** Returns a dashboard with its folder. */
export async function loadDashboard(uid: string): Promise<{ dashboard: DashboardModel; folder: string }> {
  const { dashboard, meta } = await request<{ dashboard: DashboardModel; meta: { folderTitle?: string } }>(
    `/api/dashboards/uid/${encodeURIComponent(uid)}`,
  );
  return { dashboard, folder: meta.folderTitle ?? "General" };
}

/** Returns the dashboards that have all these tags, sorted by title. */
export async function searchDashboards(tags: string[] = []): Promise<SearchHit[]> {
  const query = new URLSearchParams([["type", "dash-db"], ...tags.map((tag) => ["tag", tag])]);
  const hits = await request<SearchHit[]>(`/api/search?${query.toString()}`);
  return hits.sort((a, b) => a.title.localeCompare(b.title));
}

/** Returns all data sources. */
export async function dataSources(): Promise<DataSourceSettings[]> {
  const { datasources } = await request<{ datasources: Record<string, DataSourceSettings> }>(
    "/api/frontend/settings",
  );
  return Object.values(datasources);
}
