/* Asks /rest/v1 with the client library of others, and prints what each query gave as one JSON object. */
'use strict';
const {PostgrestClient} = require('@supabase/postgrest-js');

const queries = {
  all_columns: db => db.from('mart_fx_daily').select().eq('base', 'EUR').eq('quote', 'USD').order('date').limit(3),
  columns_and_alias: db => db.from('mart_fx_daily').select('day:date,rate').eq('quote', 'USD').order('date', {ascending: false}).limit(2),
  comparisons: db => db.from('mart_fx_daily').select('date').eq('quote', 'USD').gte('date', '2020-01-01').lt('date', '2020-01-10').neq('date', '2020-01-03').order('date'),
  in_list: db => db.from('mart_instrument').select('uid').in('uid', ['stock:US.AAPL', 'stock:US.JPM', 'no such, one']).order('uid'),
  is_null: db => db.from('mart_instrument').select('uid,sector').is('sector', null).order('uid').limit(3),
  not: db => db.from('mart_instrument').select('uid,asset_class').not('asset_class', 'in', '(stock,etf)').order('uid').limit(5),
  or: db => db.from('mart_instrument').select('uid').or('uid.eq.stock:US.AAPL,and(asset_class.eq.index,symbol.eq.SPX)').order('uid'),
  like: db => db.from('mart_instrument').select('uid').like('uid', 'stock:US.A%').order('uid'),
  ilike: db => db.from('mart_instrument').select('uid').ilike('uid', 'STOCK:us.aapl'),
  match: db => db.from('mart_instrument').select('uid').match({asset_class: 'index', symbol: 'SPX'}),
  filter: db => db.from('mart_instrument').select('uid').filter('symbol', 'eq', 'SPX'),
  text_search: db => db.from('mart_news_article').select('headline').textSearch('headline', 'market', {type: 'plain'}).limit(3),
  nulls_first: db => db.from('mart_instrument').select('uid,sector').order('sector', {nullsFirst: true}).order('uid').limit(2),
  nulls_last: db => db.from('mart_instrument').select('uid,sector').order('sector', {ascending: false, nullsFirst: false}).order('uid').limit(2),
  range: db => db.from('mart_fx_daily').select('date', {count: 'exact'}).eq('quote', 'USD').order('date').range(10, 19),
  count_only: db => db.from('mart_fx_daily').select('*', {count: 'exact', head: true}).eq('quote', 'USD'),
  count_estimated: db => db.from('mart_fx_daily').select('date', {count: 'estimated'}).limit(1),
  count_planned: db => db.from('mart_fx_daily').select('date', {count: 'planned'}).limit(1),
  past_the_end: db => db.from('mart_fx_daily').select('date', {count: 'exact'}).eq('quote', 'USD').order('date').range(900000, 900009),
  single: db => db.from('mart_instrument').select('uid,currency').eq('uid', 'stock:US.AAPL').single(),
  single_of_many: db => db.from('mart_instrument').select('uid').eq('asset_class', 'stock').single(),
  maybe_single: db => db.from('mart_instrument').select('uid').eq('uid', 'stock:US.NONE').maybeSingle(),
  csv: db => db.from('mart_fx_daily').select('date,rate').eq('quote', 'USD').order('date').limit(2).csv(),
  unknown_table: db => db.from('mart_nowhere').select(),
  unknown_column: db => db.from('mart_fx_daily').select('rates'),
  unknown_operator: db => db.from('mart_fx_daily').select('rate').filter('rate', 'eqq', '1'),
  bad_value: db => db.from('mart_fx_daily').select('rate').eq('date', 'yesterday'),
  insert: db => db.from('mart_fx_daily').insert({base: 'EUR'}),
  update: db => db.from('mart_fx_daily').update({base: 'EUR'}).eq('base', 'EUR'),
  delete: db => db.from('mart_fx_daily').delete().eq('base', 'EUR'),
  embedding: db => db.from('mart_price_daily').select('date,mart_instrument(name)').limit(1),
  call: db => db.rpc('anything'),
};

async function main(address) {
  const db = new PostgrestClient(address + '/rest/v1', {retry: false});
  const found = {};
  for (const [name, ask] of Object.entries(queries)) {
    const {data, error, count, status} = await ask(db);
    found[name] = {data, error, count, status};
  }
  console.log(JSON.stringify(found));
}

main(...process.argv.slice(2)).catch(error => { console.error(error); process.exit(1); });
