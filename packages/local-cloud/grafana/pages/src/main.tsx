import "./boot.ts";
import "uplot/dist/uPlot.min.css";
import "react-grid-layout/css/styles.css";
import "react-resizable/css/styles.css";
import { ThemeContext } from "@grafana/data";
import { config, locationService, LocationServiceProvider } from "@grafana/runtime";
import { GlobalStyles, PortalContainer } from "@grafana/ui";
import { type ReactNode, useLayoutEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import {
  type Location,
  Navigate,
  type NavigationType as Action,
  type Navigator,
  Route,
  Router,
  Routes,
} from "react-router-dom";
import { currentUser, dataSources } from "./api.ts";
import { registerDataSources, setUpLibraries } from "./runtime.ts";
import { DashboardView } from "./views/dashboard.tsx";
import { DashboardList } from "./views/list.tsx";
import { Login } from "./views/login.tsx";
import { UserContext } from "./views/page.tsx";

/** Connects React Router to the history that Grafana's libraries use. */
function HistoryRouter({ children }: { children: ReactNode }) {
  const history = locationService.getHistory();
  const [{ location, action }, setState] = useState<{ location: Location; action: Action }>({
    location: history.location as Location,
    action: history.action as Action,
  });
  useLayoutEffect(
    () =>
      // This is the signature in the version of `history` that Grafana's libraries use; its types aren't installed.
      (history.listen as (listener: (to: Location, by: Action) => void) => () => void)((to, by) => {
        setState({ location: to, action: by });
      }),
    [history],
  );
  return (
    <Router location={location} navigationType={action} navigator={history as Navigator}>
      {children}
    </Router>
  );
}

async function start(): Promise<void> {
  await setUpLibraries();
  const [user, sources] = await Promise.all([currentUser(), dataSources().catch(() => [])]);
  registerDataSources(sources);
  createRoot(document.getElementById("root") as HTMLElement).render(
    <ThemeContext.Provider value={config.theme2}>
      <GlobalStyles />
      <LocationServiceProvider service={locationService}>
        <UserContext.Provider value={user}>
          <HistoryRouter>
            <Routes>
              <Route path="/" element={<DashboardList />} />
              <Route path="/dashboards" element={<DashboardList />} />
              <Route path="/login" element={<Login />} />
              <Route path="/d/:uid/:slug?" element={<DashboardView />} />
              <Route path="*" element={<Navigate to="/" replace />} />
            </Routes>
          </HistoryRouter>
        </UserContext.Provider>
      </LocationServiceProvider>
      <PortalContainer />
    </ThemeContext.Provider>,
  );
}

void start();
