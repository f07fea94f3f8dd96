import { expect } from 'chai'
import { RankedIndex } from '../../../projections/memory/rank.ts'
import { wordsOf } from '../../../projections/memory/words.ts'

/** Texts by language, and queries with the texts that they must find first, in any order. */
const TABLE: Readonly<Record<string, { texts: Record<string, string>; queries: Record<string, readonly string[]> }>> = {
  French: {
    texts: {
      f1: "Facture d’acompte pour l'atelier. Relancer L’ASSURANCE",
      f2: "Devis qu'il faut signer jusqu'à mardi",
      f3: "Rendez-vous aujourd'hui",
    },
    queries: {
      acompte: ['f1'],
      atelier: ['f1'],
      assurance: ['f1'],
      "l'atelier": ['f1'],
      'd’acompte': ['f1'],
      "L'ATELIER": ['f1'],
      latelier: ['f1'],
      il: ['f2'],
      "aujourd'hui": ['f3'],
      aujourdhui: ['f3'],
    },
  },
  Italian: {
    texts: { i1: "Progetto dell'architetto", i2: "Biglietti ALL'OPERA", i3: 'Un’altra fattura' },
    queries: { architetto: ['i1'], opera: ['i2'], altra: ['i3'], "dell'architetto": ['i1'], dallopera: ['i2'] },
  },
  names: {
    texts: { n1: "Contract with O'Brien", n2: "The client's wishes", n3: "The boss's desk", n4: "Music of the 1990's" },
    queries: {
      "o'brien": ['n1'],
      'O’Brien': ['n1'],
      obrien: ['n1'],
      brien: ['n1'],
      client: ['n2'],
      clients: ['n2'],
      "client's": ['n2'],
      boss: ['n3'],
      '1990': ['n4'],
      '1990s': ['n4'],
    },
  },
  English: {
    texts: { e1: 'Invoices are due', e2: 'We don’t travel', e3: 'Running the meetings of naïve designers' },
    queries: {
      invoice: ['e1'],
      invoicing: ['e1'],
      dont: ['e2'],
      "don't": ['e2'],
      run: ['e3'],
      meeting: ['e3'],
      naive: ['e3'],
    },
  },
  German: {
    texts: { g1: 'Fällige Rechnung der Straße', g2: 'Wie geht’s der Größe' },
    queries: { fallige: ['g1'], rechnung: ['g1'], strasse: ['g1'], gehts: ['g2'], größe: ['g2'] },
  },
  Korean: {
    texts: {
      k1: '세금계산서를 발행했습니다',
      k2: '디자인의 검토는 월요일에',
      k3: '이 책은 부산으로 보낸다',
      k4: '고양이가 사무실에 있다',
      k5: '물을 마신다',
    },
    queries: {
      세금계산서: ['k1'],
      세금계산서는: ['k1'],
      계산서: ['k1'],
      디자인: ['k2'],
      디자인을: ['k2'],
      월요일: ['k2'],
      책: ['k3'],
      부산: ['k3'],
      부산에서: ['k3'],
      고양이: ['k4'],
      고양이를: ['k4'],
      물: ['k5'],
    },
  },
  Chinese: {
    texts: { c1: '东京会议的发票', c2: '2026年iPhone手机合同' },
    queries: { 发票: ['c1'], 东京: ['c1'], 手机: ['c2'], iphone: ['c2'], '2026': ['c2'] },
  },
  Japanese: {
    texts: { j1: '東京のコーヒー代', j2: 'ﾉｰﾄパソコンの請求書' },
    queries: { 東京: ['j1'], コーヒー: ['j1'], ノート: ['j2'], 請求書: ['j2'] },
  },
  Thai: { texts: { t1: 'ใบแจ้งหนี้ของลูกค้า', t2: 'กาแฟ' }, queries: { ลูกค้า: ['t1'], กาแฟ: ['t2'] } },
  Ukrainian: {
    texts: { u1: "Комп'ютер для роботи" },
    queries: { "комп'ютер": ['u1'], 'комп’ютер': ['u1'], роботи: ['u1'] },
  },
}

describe('projections: words of languages', () => {
  for (const [language, { texts, queries }] of Object.entries(TABLE)) {
    it(`finds ${language === 'names' ? 'names and possessives' : language}`, () => {
      const index = new RankedIndex()
      for (const [key, text] of Object.entries(texts)) index.set({ key, kind: 'item', fields: [[text, 1]] })
      for (const [query, expected] of Object.entries(queries)) {
        const found = index.search(query).map(({ key }) => key)
        expect(found.slice(0, expected.length), query).to.have.members([...expected])
      }
    })
  }

  it('counts a possessive and a contraction as the one word that they are', () => {
    expect(wordsOf("client's isn't we're they've")).to.deep.equal(['client', 'isnt', 'were', 'theyv'])
  })

  it('has the whole and what is behind each apostrophe of other words', () => {
    expect(wordsOf("O'Brien's d’aujourd'hui")).to.deep.equal(['obrien', 'brien', 'daujourdhui', 'aujourdhui', 'hui'])
  })

  it('has pairs of Korean syllables, and nouns of one', () => {
    expect(wordsOf('청구서를 책을 책')).to.deep.equal(['청구', '구서', '서를', '책을', '책', '책'])
  })
})
