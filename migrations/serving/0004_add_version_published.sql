-- When each version was published: answers name it, and must say the same for as long as the version is read.
ALTER TABLE publication_mart ADD COLUMN published_at {{instant}};
UPDATE publication_mart SET published_at = COALESCE(
    (SELECT p.published_at FROM publication p WHERE p.generation = publication_mart.generation),
    (SELECT g.published_at FROM mart_generation g
        WHERE g.mart = publication_mart.mart AND g.generation = publication_mart.generation));
