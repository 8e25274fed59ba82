// The peer in Go: net/http with its own router, a pgx pool, go-redis and encoding/json, as their documentations show.
// NUMERIC is read as float64, in the peer's favour: our server writes the exact decimal.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"
)

const columns = "uid, date, open, high, low, close, adj_close, volume, dividend, split_ratio, currency, source, " +
	"quality, known_at"

type price struct {
	UID        string      `json:"uid"`
	Date       pgtype.Date `json:"date"`
	Open       *float64    `json:"open"`
	High       *float64    `json:"high"`
	Low        *float64    `json:"low"`
	Close      *float64    `json:"close"`
	AdjClose   *float64    `json:"adj_close"`
	Volume     *float64    `json:"volume"`
	Dividend   *float64    `json:"dividend"`
	SplitRatio *float64    `json:"split_ratio"`
	Currency   string      `json:"currency"`
	Source     string      `json:"source"`
	Quality    int64       `json:"quality"`
	KnownAt    time.Time   `json:"known_at"`
}

type server struct {
	pool  *pgxpool.Pool
	cache *redis.Client
}

func (s *server) readOne(ctx context.Context, uid, date string) ([]byte, error) {
	rows, err := s.pool.Query(ctx, "SELECT "+columns+" FROM mart_price_daily WHERE uid = $1 AND date = $2", uid, date)
	if err != nil {
		return nil, err
	}
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByPos[price])
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{"data": row})
}

func (s *server) readPage(ctx context.Context, uid string, limit int) ([]byte, error) {
	rows, err := s.pool.Query(ctx,
		"SELECT "+columns+" FROM mart_price_daily WHERE uid = $1 ORDER BY uid, date LIMIT $2", uid, limit)
	if err != nil {
		return nil, err
	}
	all, err := pgx.CollectRows(rows, pgx.RowToAddrOfStructByPos[price])
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{"data": all})
}

func (s *server) throughCache(ctx context.Context, key string, read func() ([]byte, error)) ([]byte, error) {
	body, err := s.cache.Get(ctx, key).Bytes()
	if err == nil {
		return body, nil
	}
	body, err = read()
	if err == nil {
		s.cache.Set(ctx, key, body, 10*time.Minute)
	}
	return body, err
}

func answer(w http.ResponseWriter, body []byte, err error) {
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		http.Error(w, "no such row", http.StatusNotFound)
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	default:
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.Write(body)
	}
}

func limitOf(w http.ResponseWriter, r *http.Request) (int, bool) {
	limit, err := strconv.Atoi(r.FormValue("limit"))
	if err != nil || limit < 1 || limit > 50000 {
		http.Error(w, "limit: 1 to 50000", http.StatusBadRequest)
		return 0, false
	}
	return limit, true
}

func main() {
	ctx := context.Background()
	config, err := pgxpool.ParseConfig(os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	config.MaxConns = 8
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		log.Fatal(err)
	}
	options, err := redis.ParseURL(os.Getenv("REDIS_URL"))
	if err != nil {
		log.Fatal(err)
	}
	s := &server{pool: pool, cache: redis.NewClient(options)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /rows/{uid}/{date}", func(w http.ResponseWriter, r *http.Request) {
		body, err := s.readOne(r.Context(), r.PathValue("uid"), r.PathValue("date"))
		answer(w, body, err)
	})
	mux.HandleFunc("GET /rows", func(w http.ResponseWriter, r *http.Request) {
		if limit, ok := limitOf(w, r); ok {
			body, err := s.readPage(r.Context(), r.FormValue("uid"), limit)
			answer(w, body, err)
		}
	})
	mux.HandleFunc("GET /cached/rows/{uid}/{date}", func(w http.ResponseWriter, r *http.Request) {
		uid, date := r.PathValue("uid"), r.PathValue("date")
		body, err := s.throughCache(r.Context(), "go:"+uid+":"+date,
			func() ([]byte, error) { return s.readOne(r.Context(), uid, date) })
		answer(w, body, err)
	})
	mux.HandleFunc("GET /cached/rows", func(w http.ResponseWriter, r *http.Request) {
		if limit, ok := limitOf(w, r); ok {
			uid := r.FormValue("uid")
			body, err := s.throughCache(r.Context(), fmt.Sprintf("go:%s:%d", uid, limit),
				func() ([]byte, error) { return s.readPage(r.Context(), uid, limit) })
			answer(w, body, err)
		}
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], mux))
}
