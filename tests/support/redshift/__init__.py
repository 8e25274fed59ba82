"""A stand-in for Redshift: a proxy that speaks PostgreSQL's protocol in front of a real PostgreSQL.

COPY ... FROM 's3://...' is executed as documented, with the objects read from a real S3-compatible server; what Redshift
does not have is refused; what it does differently is modelled (dialect.py). The program under test sends the SQL that it
would send to a cluster.

What it cannot prove: Redshift's own coercions beyond those named in copy.py, distribution and sorting, queues, the trust
of IAM roles, several nodes, speed.
"""

from support.redshift.server import Redshift

__all__ = ["Redshift"]
