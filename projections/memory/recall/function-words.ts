/** The commonest words of languages, without accents: they tell languages apart, and say little about what is meant. */

const WORDS: Readonly<Record<string, string>> = {
  ar: `في من على إلى الى عن ان أن إن هذا هذه التي الذي الذين ما لا لم لن هو هي هم كان كانت قد و أو او ثم كل بعد
    قبل مع بين عند حتى كما لكن ذلك تلك هل كيف متى أين اين ماذا لماذا كم منذ خلال أي اي به بها له لها فيه فيها
    منها منه`,
  da: `og i jeg det at en den til er som pa de med han af for ikke der var mig sig men et har om vi min havde
    ham hun nu over da fra du ud sin dem os op man hans hvor eller hvad skal selv her alle vil blev kunne ind
    nar vaere dog noget ville jo deres efter ned skulle denne end dette mit ogsa under have dig anden hende mine
    alt meget sit sine vor mod disse hvis din nogle hos blive mange ad bliver hendes vaeret jer sadan`,
  de: `der die das und in zu den ist von mit sich des auf fur nicht ein eine als auch es an werden aus er hat
    dass sie nach wird bei einer dem um am sind noch wie einem uber einen so zum war haben nur oder aber vor zur
    bis mehr durch man sein wurde wenn ihre ihr seine seiner kann im ich du wir was wer wo wann warum welche
    welcher welches wieviel viele hatte waren wurden unter gegen schon sowie dieser diese dieses diesem diesen
    eines mich mir dir dich uns euch ihnen ihm ihn jedoch wahrend zwischen da dann hier alle allen ob ohne
    sondern weil konnen konnte muss soll sollte wollte seit beim vom ins`,
  el: `ο η το οι τα του της των τον την και να με για απο σε που ειναι θα δεν στο στη στην στον στα στις στους
    ως ή αν οτι τι ποιος ποια ποιο ποιοι πως ποτε ποσο ποσα ποσοι ποσες ηταν εχει ειχε μια ενα ενας αυτο αυτη
    αυτος αλλα οπως κατα μετα πριν μεχρι επισης τους τις μας σας`,
  en: `a about above after again against all also am an and any are as at be because been before being below
    between both but by can cannot could did do does doing down during each few for from further had has have
    having he her here hers him himself his how i if in into is it its itself may me more most my no nor not of
    off on once only or other our ours out over own same shall she should so some such than that the their
    theirs them themselves then there these they this those through to too under until up upon very was we were
    what when where which while who whom whose why will with within without would you your yours`,
  es: `de la que el en y a los del se las por un para con no una su al lo como mas pero sus le ya o este si
    porque esta entre cuando muy sin sobre tambien me hasta hay donde quien desde todo nos durante todos uno les
    ni contra otros ese eso ante ellos e esto mi antes algunos unos yo otro otras otra tanto esa estos mucho
    quienes nada muchos cual cuales poco ella estar estas algunas algo nosotros tu te ti era eran fue fueron es
    son ha han sido ser cuanto cuantos cuantas cuanta habia tenia tiene tienen`,
  fi: `ja on ei se etta oli han mutta ovat kun niin kuin myos joka jonka mita mika tai sen sita ne jos kuka
    missa milloin miksi miten kuinka hanen heidan nama tama taman olla ollut olivat vain siita siina sille mina
    sina me te he jotka joita jossa koska vaan itse jo kaikki nyt viela ole olisi`,
  fr: `de la le et les des en un du une que est pour qui dans a par plus pas au sur ne se ce il sont avec ou son
    aux d l sa cette comme mais nous ses ont ete elle on leur etait deux meme y si fait etre aussi tout leurs
    bien peut ces lui sans entre quand quel quelle quels quelles qu avait dont donc ils elles je tu vous mon ton
    ma ta mes tes notre votre nos vos moi toi etaient sera apres avant depuis chez vers combien comment pourquoi
    s n c j m t`,
  hi: `के का की में है और से को पर इस हैं ने भी यह कि एक वह था थी थे हो कर तो ही या जो किया गया गई गए लिए अपने
    अपनी अपना कौन क्या कब कहाँ कहां कैसे कितने कितना कितनी किस किसने किसे क्यों जब तक साथ बाद उस उन इन द्वारा
    रहा रही रहे नहीं होता होती होते कुछ करने करना करता हुआ हुई हुए वाले वाली`,
  hu: `a az es hogy nem is egy de volt meg csak ez azt mint ha el mar vagy van aki ki minden azonban ami mi hol
    mikor miert hogyan mennyi melyik ezt ezek azok ne kell lehet majd itt ott akkor most nagyon lesz volna olyan
    legtobb soran szerint utan elott kozott alatt`,
  it: `di e il la che in un a per una del con non da sono le si i al dei come della ha gli piu nel alla ma anche
    lo dal su era delle o nella questo ed se suo sua loro ci dalla essere stato degli due fu cui tra dopo io tu
    lui lei noi voi essi mi ti vi ne quale quali chi dove quando quanto quanti quante perche cosa ai agli alle
    dai dagli dalle nei negli nelle sul sulla sui sulle questa questi queste quello quella hanno aveva erano
    suoi sue mio mia`,
  nl: `de van het een en in is dat op te zijn met voor niet aan er die om als ook dan door maar bij hij uit ze
    naar nog of over tot wel werd wordt kan heeft hebben was waren had worden zich wat wie waar wanneer waarom
    hoe hoeveel welke welk deze dit zo al geen meer je jij ik wij we zij hun hem haar mijn uw onder tegen tussen
    na`,
  no: `og i jeg det at en et den til er som pa de med han av ikke der sa var meg seg men ett har om vi min mitt
    ha hadde hun na over da ved fra du ut sin dem oss opp man kan hans hvor eller hva skal selv her alle vil bli
    ble blitt kunne inn nar vaere kom noen noe ville deres etter ned skulle denne enn dette under hvorfor
    hvordan hvilken hvilke hvem disse mange bare mellom ogsa`,
  pt: `de a o que e do da em um para com nao uma os no se na por mais as dos como mas foi ao ele das tem seu sua
    ou ser quando muito ha nos ja esta eu tambem so pelo pela ate isso ela entre era depois sem mesmo aos ter
    seus quem nas me esse eles estao voce tinha foram essa num nem suas meu minha numa pelos elas havia seja
    qual quais sera tenho lhe deles essas esses pelas este fosse dele onde porque quanto quantos quantas sao`,
  ro: `de si in la cu pe din un o nu ca este a sa care mai ale al ai ii se pentru sunt fost era prin dar cel cea
    cei cele lor lui ei le il sau dupa intre despre cand unde cum cine ce cat cati cate acest aceasta acestea
    aceste avea au am ar fi fara pana spre sub doar foarte printre`,
  ru: `и в во не что он на я с со как а то все она так его но да ты к у же вы за бы по только ее мне было вот от
    меня еще нет о из ему теперь когда даже ну ли если уже или ни быть был него до вас нибудь опять уж вам ведь
    там потом себя ничего ей может они тут где есть надо ней для мы тебя их чем была сам чтоб без будто чего раз
    тоже себе под будет ж тогда кто этот того потому этого какой какая какие каком какую каким каких сколько ним
    здесь этом почти мой тем чтобы нее были куда зачем всех при об через эти нас про всего них над эту моя этой
    перед между который которая которое которые которых которой которым это`,
  sv: `och det att i en jag hon som han pa den med var sig for sa till ar men ett om hade de av icke mig du
    henne da sin nu har inte hans honom skulle hennes dar min man ej vid kunde nagot fran ut nar efter upp vi
    dem vara vad over an dig kan sina ha mot alla under nagon eller allt mycket sedan ju denna sjalv detta at
    utan varit hur ingen mitt ni bli blev oss din dessa nagra deras blir mina samma vilken er sadan blivit dess
    inom mellan vilka vem varfor`,
  tr: `ve bir bu da de icin ile olarak cok daha olan gibi en ne kadar ama o sonra her ya ki mi mu mudur nedir
    kim hangi nasil neden nerede zaman oldu oldugu olduğu ise tarafindan kac kactir var yok degil diye ancak
    bunu onun ben sen biz siz onlar veya hem iki ayni uzere bazi ilk idi edilen`,
  vi: `va cua la co cac trong mot nhung duoc cho khong voi nay da de tai khi tu nguoi den nhu cung ve o ra vao
    tren hay hoac thi ma se bi boi do nao gi ai dau bao nhieu sao the vi theo con nen phai rat sau truoc giua`,
}

/** Function words by language. */
export const FUNCTION_WORDS: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries(WORDS).map(([language, words]) => [language, new Set(words.split(/\s+/))]),
)
