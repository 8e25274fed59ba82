/* Opens /docs in a real browser, calls an operation through its form, and prints what the page shows as JSON. */
'use strict';
const {chromium} = require('playwright-core');

async function main(browserPath, address) {
  const browser = await chromium.launch({executablePath: browserPath, args: ['--no-sandbox', '--disable-gpu']});
  const page = await browser.newPage();
  const complaints = [], outside = [];
  page.on('console', message => complaints.push(message.text()));
  page.on('pageerror', error => complaints.push(String(error)));
  page.on('request', request => { if (!request.url().startsWith(address) && !request.url().startsWith('data:')) outside.push(request.url()); });
  await page.goto(address + '/docs?utm_source=test#listRows');
  await page.waitForSelector('#operation form');
  const links = await page.$$eval('#groups a', all => all.map(one => one.textContent));
  await page.fill('#p-path-mart', 'mart_fx_daily');
  await page.fill('#p-query-filters', 'base=eq.EUR&quote=eq.USD');
  await page.fill('#p-query-limit', '2');
  const command = await page.textContent('#operation > pre');
  await page.click('button[type=submit]');
  await page.waitForSelector('#answer .status');
  const rows = {status: await page.textContent('#answer .status'), body: await page.textContent('#answer > pre')};
  await page.fill('#filter', 'backtests');
  const filtered = await page.$$eval('#groups a', all => all.map(one => one.textContent));
  await page.click('#groups a:has-text("POST")');
  await page.waitForSelector('#body');
  const example = await page.inputValue('#body');
  await page.click('button[type=submit]');
  await page.waitForSelector('#answer .status');
  const backtest = await page.textContent('#answer .status');
  await page.goto(address + '/docs#getRisk');
  await page.waitForFunction(() => document.querySelector('#operation h2').textContent.includes('/risk'));
  const answers = await page.$$eval('#operation details', all => all.map(one => one.textContent));
  await page.goto(address + '/docs#getLive');
  await page.waitForFunction(() => document.querySelector('#operation h2').textContent.includes('/livez'));
  const isOpsDisabled = await page.isDisabled('button[type=submit]');
  await browser.close();
  console.log(JSON.stringify({links, command, rows, filtered, example, backtest, answers, isOpsDisabled, complaints, outside}));
}

main(...process.argv.slice(2)).catch(error => { console.error(error); process.exit(1); });
