import { type EmbeddedScene, UrlSyncContextProvider } from "@grafana/scenes";
import { Alert, LinkButton, LoadingPlaceholder } from "@grafana/ui";
import { useEffect, useState } from "react";
import { useLocation, useNavigate, useParams } from "react-router-dom";
import { ApiError, loadDashboard } from "../api.ts";
import { dashboardScene } from "../scene.ts";
import { Page } from "./page.tsx";

type Loaded = { title: string; folder: string; scene: EmbeddedScene } | { error: string } | undefined;

/** Shows a dashboard at /d/<uid>, or one of its panels with `?viewPanel=<id>`. */
export function DashboardView() {
  const { uid = "" } = useParams();
  const { pathname, search } = useLocation();
  const navigate = useNavigate();
  const viewPanel = new URLSearchParams(search).get("viewPanel");
  const [loaded, setLoaded] = useState<Loaded>();
  useEffect(() => {
    let stale = false;
    setLoaded(undefined);
    loadDashboard(uid)
      .then(({ dashboard, folder }) => {
        const scene = dashboardScene(dashboard, panelId(viewPanel));
        if (!stale) setLoaded({ title: dashboard.title, folder, scene });
      })
      .catch((error: unknown) => {
        if (error instanceof ApiError && error.status === 401) {
          void navigate(`/login?redirectTo=${encodeURIComponent(pathname + search)}`, { replace: true });
        } else if (!stale) setLoaded({ error: error instanceof Error ? error.message : String(error) });
      });
    return () => {
      stale = true;
    };
    // The query string is not a dependency: it changes with each selected variable, and the scene tracks it itself.
  }, [uid, viewPanel]);
  if (loaded === undefined)
    return <Page title="Dashboard" children={<LoadingPlaceholder text="Loading" />} />;
  if ("error" in loaded) {
    return (
      <Page title="Dashboard" children={<Alert title="The dashboard can't be shown">{loaded.error}</Alert>} />
    );
  }
  return (
    <Page
      title={loaded.title}
      folder={loaded.folder}
      actions={viewPanel !== null && <Back search={search} />}
    >
      <UrlSyncContextProvider scene={loaded.scene} updateUrlOnInit createBrowserHistorySteps>
        <loaded.scene.Component model={loaded.scene} />
      </UrlSyncContextProvider>
    </Page>
  );
}

function Back({ search }: { search: string }) {
  const kept = new URLSearchParams(search);
  kept.delete("viewPanel");
  const { pathname } = useLocation();
  return (
    <LinkButton variant="secondary" size="sm" icon="arrow-left" href={`${pathname}?${kept.toString()}`}>
      Back to dashboard
    </LinkButton>
  );
}

/** Parses a panel ID in Grafana's URLs: "2" or "panel-2". */
function panelId(text: string | null): number | undefined {
  const [digits] = /\d+$/.exec(text ?? "") ?? [];
  return digits === undefined ? undefined : Number(digits);
}
