"""What the integration and contract tests share: a server of their own, a PostgreSQL of their own, data sets, HTTP."""
