import { css } from "@emotion/css";
import type { GrafanaTheme2 } from "@grafana/data";
import { LinkButton, Stack, Text, TextLink, useStyles2 } from "@grafana/ui";
import { createContext, type ReactNode, useContext, useEffect } from "react";
import type { User } from "../api.ts";

/** The signed-in user; undefined for an anonymous user. */
export const UserContext = createContext<User | undefined>(undefined);

interface Props {
  title: string;
  /** Folder of a dashboard. */
  folder?: string;
  actions?: ReactNode;
  children: ReactNode;
}

/** Frame of all pages: the location, the signed-in user, and a note that this isn't Grafana. */
export function Page({ title, folder, actions, children }: Props) {
  const styles = useStyles2(getStyles);
  const user = useContext(UserContext);
  useEffect(() => {
    document.title = `${title} - Stand-in for Grafana`;
  }, [title]);
  return (
    <div className={styles.page}>
      <header className={styles.header}>
        <Stack alignItems="center" gap={1}>
          <TextLink href="/dashboards" inline={false} color="secondary">
            Dashboards
          </TextLink>
          {folder !== undefined && <Text color="secondary">/ {folder} /</Text>}
          <Text element="h1" variant="h4">
            {title}
          </Text>
          {actions}
        </Stack>
        <Stack alignItems="center" gap={1}>
          {user === undefined ? (
            <LinkButton href="/login" variant="secondary" size="sm">
              Sign in
            </LinkButton>
          ) : (
            <>
              <Text color="secondary">{user.login}</Text>
              <LinkButton href="/logout" target="_self" variant="secondary" size="sm" fill="outline">
                Sign out
              </LinkButton>
            </>
          )}
        </Stack>
      </header>
      <main className={styles.main}>{children}</main>
      <footer className={styles.footer}>
        This is a stand-in for Grafana, not Grafana: the local cloud's own server and pages, built with
        Grafana's open-source libraries (Apache-2.0). Production runs Grafana's official image.
      </footer>
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  page: css({ display: "flex", flexDirection: "column", minHeight: "100vh" }),
  header: css({
    display: "flex",
    justifyContent: "space-between",
    alignItems: "center",
    gap: theme.spacing(2),
    padding: theme.spacing(1, 2),
    borderBottom: `1px solid ${theme.colors.border.weak}`,
    background: theme.colors.background.primary,
  }),
  main: css({ flex: 1, display: "flex", flexDirection: "column", padding: theme.spacing(2), minWidth: 0 }),
  footer: css({
    padding: theme.spacing(1, 2),
    color: theme.colors.text.secondary,
    fontSize: theme.typography.bodySmall.fontSize,
    borderTop: `1px solid ${theme.colors.border.weak}`,
  }),
});
