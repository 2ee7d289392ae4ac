import { Alert, Card, TagList, Text } from "@grafana/ui";
import { useEffect, useState } from "react";
import { useNavigate } from "react-router-dom";
import { ApiError, type SearchHit, searchDashboards } from "../api.ts";
import { Page } from "./page.tsx";

/** Shows all dashboards by folder. */
export function DashboardList() {
  const navigate = useNavigate();
  const [hits, setHits] = useState<SearchHit[]>();
  const [error, setError] = useState<string>();
  useEffect(() => {
    searchDashboards()
      .then(setHits)
      .catch((reason: unknown) => {
        if (reason instanceof ApiError && reason.status === 401) void navigate("/login", { replace: true });
        else setError(reason instanceof Error ? reason.message : String(reason));
      });
  }, [navigate]);
  const folders = Map.groupBy(hits ?? [], ({ folderTitle }) => folderTitle ?? "General");
  return (
    <Page title="Dashboards">
      {error !== undefined && <Alert title="The dashboards can't be listed">{error}</Alert>}
      {hits?.length === 0 && <Text>There are no dashboards yet.</Text>}
      {[...folders].map(([folder, inFolder]) => (
        <section key={folder} style={{ maxWidth: 900, display: "grid", gap: 8 }}>
          <Text element="h2" variant="h4">
            {folder}
          </Text>
          {inFolder.map(({ uid, title, tags }) => (
            <Card key={uid} href={`/d/${uid}`} noMargin>
              <Card.Heading>{title}</Card.Heading>
              <Card.Tags>
                <TagList tags={tags} />
              </Card.Tags>
            </Card>
          ))}
        </section>
      ))}
    </Page>
  );
}
