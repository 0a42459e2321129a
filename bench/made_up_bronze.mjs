// Bronze made up for the benchmarks of re-ingest: opportunities of about 3.4 KB, the same for the same number of events.
import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';

const PART = 1000;
const RUN_EVENTS = 50_000;

// A small, seeded generator: the same bronze every time.
function random(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (state * 1664525 + 1013904223) >>> 0;
    return state % below;
  };
}

const WORDS = 'cloud migration analytics platform for the retail industry with managed services and a data lake on several regions partner led delivery'.split(' ');

// An answer of GetOpportunity of about 3.4 KB.
function payload(id, version, pick) {
  const words = (count) => Array.from({ length: count }, () => WORDS[pick(WORDS.length)]).join(' ');
  const at = new Date(Date.UTC(2026, 0, 1) + version * 1000).toISOString().replace('.000Z', 'Z');
  return JSON.stringify({
    Arn: `arn:aws:partnercentral:us-east-1:123456789012:catalog/AWS/opportunity/${id}`, Catalog: 'AWS', CreatedDate: '2026-01-01T00:00:00Z', Id: id, LastModifiedDate: at,
    Customer: { Account: { CompanyName: `${words(2)} ${pick(9999)}`, Industry: 'Retail', WebsiteUrl: `https://${pick(99999)}.example.com`, AwsAccountId: '123456789012',
      Address: { City: words(1), CountryCode: 'US', PostalCode: String(10000 + pick(89999)), StateOrRegion: 'California', StreetAddress: words(3) } },
      Contacts: Array.from({ length: 2 }, () => ({ BusinessTitle: words(2), Email: `${pick(99999)}@example.com`, FirstName: words(1), LastName: words(1), Phone: `+1555${pick(9999999)}` })) },
    LifeCycle: { Stage: ['Prospect', 'Qualified', 'Committed', 'Launched'][pick(4)], ReviewStatus: 'Approved', ReviewComments: words(12), NextSteps: words(10), TargetCloseDate: '2026-12-31',
      NextStepsHistory: Array.from({ length: 4 }, () => ({ Time: at, Value: words(14) })) },
    Marketing: { Source: 'Marketing Activity', AwsFundingUsed: 'No', CampaignName: words(3), Channels: ['Social', 'Email'], UseCases: [words(2)] },
    NationalSecurity: 'No', OpportunityType: 'Net New Business',
    OpportunityTeam: [{ BusinessTitle: 'PartnerAccountManager', Email: `${pick(99999)}@example.com`, FirstName: words(1), LastName: words(1), Phone: '+15555550100' }],
    PartnerOpportunityIdentifier: `CRM-${pick(999999)}`, PrimaryNeedsFromAws: ['Co-Sell - Architectural Validation', 'Co-Sell - Pricing Assistance'],
    Project: { Title: words(5), CustomerBusinessProblem: words(60), CustomerUseCase: 'AI Machine Learning and Analytics', AdditionalComments: words(60), CompetitorName: 'No Competition',
      OtherSolutionDescription: words(30), DeliveryModels: ['SaaS or PaaS', 'Managed Services'], SalesActivities: ['Initialized discussions with customer', 'Customer has shown interest in solution'],
      ExpectedCustomerSpend: [{ Amount: `${pick(99999)}.${10 + pick(89)}`, CurrencyCode: 'USD', Frequency: 'Monthly', TargetCompany: 'AWS' }] },
    RelatedEntityIdentifiers: { AwsMarketplaceOffers: [], AwsProducts: [`Product-${pick(99)}`], Solutions: [`S-00${10000 + pick(89999)}`] },
    SoftwareRevenue: { DeliveryModel: 'Contract', EffectiveDate: '2026-06-01', ExpirationDate: '2027-06-01', Value: { Amount: `${pick(9999)}.00`, CurrencyCode: 'USD' } },
  });
}

export const uuid = (n) => `019a0000-0000-7000-8000-${String(n).padStart(12, '0')}`;

/** Writes `events` records as finished runs: 80 % new ids, 19 % newer versions, 1 % an older version once more. And the same lines in two files, split by id. */
export function generate(dir, events) {
  const pick = random(20261124);
  const lake = path.join(dir, 'lake');
  const halves = [0, 1].map((half) => openSync(path.join(dir, `lines-${half}.txt`), 'w'));
  const pieces = [[], []];
  let ids = 0;
  let bytes = 0;
  for (let first = 0, n = 1; first < events; first += RUN_EVENTS, ++n) {
    const prefix = `bronze/partnercentral/opportunities/2026/01/${String(n).padStart(2, '0')}/run-${uuid(n)}/`;
    mkdirSync(path.join(lake, prefix), { recursive: true });
    const parts = [];
    for (let at = first; at < Math.min(first + RUN_EVENTS, events); at += PART) {
      const lines = [];
      for (let event = at; event < Math.min(at + PART, first + RUN_EVENTS, events); ++event) {
        const kind = pick(100);
        const isNew = ids === 0 || kind < 80;
        const number = isNew ? ids++ : pick(ids);
        const id = `O${String(1_000_000 + number)}`;
        const text = payload(id, kind === 99 ? 0 : event + 1, pick);
        bytes += text.length;
        const line = `{"meta":{"id":"${id}","operation":"GetOpportunity","request_id":"00000000-0000-0000-0000-000000000000","fetched_at":"2026-01-01T00:00:00.000Z","version":"x","source":"get","sha256":"${createHash('sha256').update(text).digest('hex')}"},"payload":${text}}\n`;
        lines.push(line);
        pieces[number % 2].push(line);
      }
      const content = lines.join('');
      const key = prefix + (parts.length === 0 ? 'data.json' : `data-${String(parts.length + 1).padStart(5, '0')}.json`);
      writeFileSync(path.join(lake, key), content);
      parts.push({ key, sha256: createHash('sha256').update(content).digest('hex'), bytes: Buffer.byteLength(content), records: lines.length });
      for (const half of [0, 1]) writeSync(halves[half], pieces[half].splice(0).join(''));
    }
    writeFileSync(path.join(lake, prefix, 'manifest.json'), JSON.stringify({ run_id: uuid(n), connector: 'partner_central', entity: 'opportunities', mode: 'full', catalog: 'AWS',
      started_at: '2026-01-01T00:00:00Z', ended_at: '2026-01-01T01:00:00Z', mapping_version: 1, watermark_before: '', watermark_after: '', parts, pages: [] }));
  }
  for (const half of halves) closeSync(half);
  return { lake, ids, size: bytes / events };
}
