-- Days with new or changed articles are counted anew. A section that is gone leaves the readers, too, for its day is published as a
-- whole; a keyword that is gone stays with 0 articles.
DELETE FROM stg_day;
INSERT INTO stg_day (day)
SELECT DISTINCT a.pub_day
FROM stg_run r
JOIN fact_article a ON a.load_id > r.since;
DELETE FROM stg_keyword;
INSERT INTO stg_keyword (article_id, pub_day, section, keyword)
SELECT DISTINCT a.article_id, a.pub_day, COALESCE(a.section, '-'),
    split_part(a.keywords, ';', CAST(n.day_number AS INTEGER))
FROM stg_day d
JOIN fact_article a ON a.pub_day = d.day AND a.keywords IS NOT NULL
JOIN dim_date n ON n.day_number >= 1 AND n.day_number <= length(a.keywords) - length(replace(a.keywords, ';', '')) + 1;
INSERT INTO load_scope (mart, load_id, scope)
SELECT DISTINCT 'mart_news_daily', r.load_id, CAST(o.pub_day AS TEXT)
FROM stg_day d
JOIN mart_news_daily o ON o.pub_day = d.day
CROSS JOIN stg_run r
WHERE NOT EXISTS (SELECT 1 FROM fact_article f WHERE f.pub_day = o.pub_day AND COALESCE(f.section, '-') = o.section);
DELETE FROM mart_news_daily WHERE pub_day IN (SELECT day FROM stg_day);
INSERT INTO mart_news_daily (pub_day, section, n_articles, words_total, top_keywords, load_id)
SELECT a.pub_day, a.section, a.n_articles, a.words_total, k.top_keywords, r.load_id
FROM (
    SELECT f.pub_day, COALESCE(f.section, '-') AS section, count(*) AS n_articles, COALESCE(sum(f.word_count), 0) AS words_total
    FROM stg_day d
    JOIN fact_article f ON f.pub_day = d.day
    GROUP BY f.pub_day, COALESCE(f.section, '-')
) a
CROSS JOIN stg_run r
LEFT JOIN (
    SELECT c.pub_day, c.section,
        max(CASE WHEN c.place = 1 THEN c.keyword END)
            || COALESCE(';' || max(CASE WHEN c.place = 2 THEN c.keyword END), '')
            || COALESCE(';' || max(CASE WHEN c.place = 3 THEN c.keyword END), '')
            || COALESCE(';' || max(CASE WHEN c.place = 4 THEN c.keyword END), '')
            || COALESCE(';' || max(CASE WHEN c.place = 5 THEN c.keyword END), '') AS top_keywords
    FROM (
        SELECT pub_day, section, keyword,
            row_number() OVER (PARTITION BY pub_day, section ORDER BY count(*) DESC, keyword) AS place
        FROM stg_keyword
        GROUP BY pub_day, section, keyword
    ) c
    WHERE c.place <= 5
    GROUP BY c.pub_day, c.section
) k ON k.pub_day = a.pub_day AND k.section = a.section;
UPDATE mart_news_keyword_daily
SET n_articles = 0, share = 0, load_id = (SELECT load_id FROM stg_run)
WHERE pub_day IN (SELECT day FROM stg_day);
DELETE FROM mart_news_keyword_daily
WHERE pub_day IN (SELECT day FROM stg_day) AND (keyword, pub_day) IN (SELECT keyword, pub_day FROM stg_keyword);
INSERT INTO mart_news_keyword_daily (keyword, pub_day, n_articles, share, load_id)
SELECT k.keyword, k.pub_day, count(*), CAST(count(*) AS {{float}}) / max(a.n_articles), max(r.load_id)
FROM stg_keyword k
JOIN (
    SELECT f.pub_day, count(*) AS n_articles
    FROM stg_day d
    JOIN fact_article f ON f.pub_day = d.day
    GROUP BY f.pub_day
) a ON a.pub_day = k.pub_day
CROSS JOIN stg_run r
WHERE k.keyword <> ''
GROUP BY k.keyword, k.pub_day;
