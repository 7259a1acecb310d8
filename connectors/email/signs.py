"""The signs by which mail programs set apart what they quote, in the languages they speak. For
connectors.email.trimming.

A sign has to be one that people do not write themselves: a verb alone, a date alone or a colon alone is none. Patterns
are anchored and short, so that none of them takes long over any line.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

COLONS: Final = ":：៖፦፡︰"
MAX_ATTRIBUTION: Final = 400
_OTHER_DIGITS: Final = re.compile(r"[^\D0-9]")
_UNSEEN: Final = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad]")


def plain(line: str) -> str:
    """A line as it is judged: without what cannot be seen, digits of all scripts as ours."""
    line = _UNSEEN.sub("", line.replace("\u00a0", " ").replace("\u202f", " ")).strip()
    if line.isascii():
        return line
    return _OTHER_DIGITS.sub(lambda found: str(unicodedata.digit(found[0])), line)


# --- "On 3 May 2026 at 10:12, Desk <desk@example.org> wrote:" -------------------------------------------------------

_WROTE: Final = (
    r"wrote|writes|said|schrieb|hat geschrieben|schrieben|a écrit|écrivit|escribió|ha escrito|escribi[oó]|ha scritto"
    r"|scrive|escreveu|escrito|schreef|geschreven|heeft geschreven|skrev|kirjoitti|napisał\(a\)|napisał|napisała"
    r"|pisze"
    r"|napsal\(a\)|napsal|napsala|napísal|napísala|napisao|napisala|napisao je|je napisao|je napisal|a scris|írta|írt"
    r"|yazdı|şunu yazdı|έγραψε|написал\(а\)|написал|написала|написав|написала|пишет|пише|писал|писала|писав|напиша"
    r"|написа|жазды|жазған|yozdi|كتب|كتبت|كتب ما يلي|تمت كتابة ما يلي بواسطة|نوشت|نوشته است|כתב|כתבה|כתב/ה|ने लिखा"
    r"|লিখেছেন|เขียนว่า|เขียน|đã viết|viết|menulis|menulis pesan|写道|寫道|写到|書きました|のメール|님이 작성|작성"
    r"|បានសរសេរ|សរសេរថា|សរសេរ|ጻፈ|ጻፉ|ጽፏል|ጽፈዋል|እንዲህ ሲል ጻፈ|እንዲህ ጻፈ|aliandika|написали"
)
_ON: Final = (
    r"on|am|le|el|il|il giorno|op|den|em|no dia|a|dnia|w dniu|dne|dňa|în data|pe|la|στις|на|в|у|от|від|va|vào"
    r"|pada|tanggal"
    r"|في|بتاريخ|در|در تاریخ|בתאריך|ב-?|เมื่อ|នៅ|នៅថ្ងៃ|នៅ ថ្ងៃ|ថ្ងៃ|በ|እ.ኤ.አ|於|于|在|ons|tir|tors|lør|søn|fre|man"
)
_WEEKDAY: Final = (
    r"mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do|fr|sa|so|lun|mar|mer|jeu|ven|sam|dim|mié|jue|vie|sáb|dom|gio|sab"
    r"|seg|ter"
    r"|qua|qui|sex|ma|wo|do|vr|za|zo|пн|вт|ср|чт|пт|сб|вс|нд|понедельник|вторник|среда|четверг|пятница|суббота"
    r"|воскресенье|pon|wt|śr|czw|pt|sob|niedz|po|út|st|čt|pá|so|ne|ke|to|pe|la|su|ti"
)
_EMAIL: Final = re.compile(r"[\w.+%'-]{1,64}@[\w.-]{1,190}\w")
_DATE: Final = re.compile(
    r"\b(?:19|20)\d\d\b|\b\d{1,2}[./-]\d{1,2}[./-]\d{2,4}\b|\d年|\d년|\b\d{1,2}:\d\d\b|\b\d{1,2}\.\d\d\b|25\d\d"
)
_ENDS: Final = re.compile(rf"[{COLONS}]\s*[>»)\]]*$")
_VERB: Final = re.compile(
    rf"(?:^|[\s,>)\"'”»,、）年월日時分秒0-9午])(?:{_WROTE})(?=[\s{COLONS}(.<]|$)|(?:写道|寫道|のメール|님이 작성)",
    re.IGNORECASE,
)
_STARTS: Final = re.compile(
    rf"^(?:(?:{_ON})[\s,.]|(?:{_WEEKDAY})[\s.,]|\d{{1,4}}[./年년\s-]|[#*_ ]*(?:on|am|le)\s|在|于|於|በ|នៅ|ថ្ងៃ)",
    re.IGNORECASE,
)
_ANGLE: Final = re.compile(r"[<(\[][^<>()\[\]]{0,20}[\w.+%'-]{1,64}@[\w.-]{1,190}\w[^<>()\[\]]{0,40}[>)\]]")


# "Desk Example wrote:", over marked lines. "You wrote:" and "My boss wrote:" are what people write.
_NAMED: Final = re.compile(
    rf"^(?!(?:You|I|We|He|She|They|It|Du|Sie|Er|Wir|Ihr|Vous|Tu|Il|Elle|On|Вы|Ты|Он|Она|Мы|Они|Ви|Ти|Він|Вона|Ми)\s)"
    rf"(?:[^\W\d_a-zа-яёіїєґ][\w.'’-]*\s){{1,3}}(?:{_WROTE})\s?[{COLONS}]$"
)


def may_begin(line: str) -> bool:
    """Worth a closer look as the beginning of an attribution."""
    return len(line) <= MAX_ATTRIBUTION and (
        _STARTS.match(line) is not None or _EMAIL.search(line) is not None or _VERB.search(line) is not None
    )


def ends_like_one(line: str) -> bool:
    return _ENDS.search(line[-10:]) is not None


def attribution(text: str, *, marked: bool = False) -> bool:
    """Whether it says whose words follow. `marked`: what follows is marked as quoted, so that less is needed."""
    text = text.strip()
    if not 8 <= len(text) <= MAX_ATTRIBUTION or _ENDS.search(text) is None:
        return False
    dated, verb, angle = _DATE.search(text) is not None, _VERB.search(text) is not None, _ANGLE.search(text) is not None
    if marked:
        return (dated and (verb or angle)) or (angle and verb) or _NAMED.match(text) is not None
    if not dated:
        return False
    if verb:
        return _STARTS.match(text) is not None or angle
    return angle and _STARTS.match(text) is not None and _ends_with_address(text)


def begins_and_dates(text: str) -> bool:
    """Whether an attribution is there from its first word on."""
    return _STARTS.match(text.strip()) is not None and _DATE.search(text) is not None


def _ends_with_address(text: str) -> bool:
    return re.search(r"@[\w.-]{1,190}\w[\s>)\]\"'”»]*$", _ENDS.sub("", text)) is not None


# --- "-----Original Message-----" ----------------------------------------------------------------------------------

_ORIGINAL: Final = (
    r"original message|original-nachricht|originalnachricht|ursprüngliche nachricht|ursprüngliche mail"
    r"|message d'origine|message original|message initial|courriel original|mensaje original|messaggio originale"
    r"|mensagem original|oorspronkelijk bericht|origineel bericht|ursprungligt meddelande|originalmeddelande"
    r"|oprindelig meddelelse"
    r"|opprinnelig melding|alkuperäinen viesti|wiadomość oryginalna|oryginalna wiadomość|původní zpráva"
    r"|původní e-mail|pôvodná správa"
    r"|eredeti üzenet|mesajul original|mesaj original|orijinal mesaj|özgün ileti|αρχικό μήνυμα|исходное сообщение"
    r"|оригинальное сообщение|первоначальное сообщение|вихідне повідомлення|оригінальне повідомлення"
    r"|початкове повідомлення"
    r"|първоначално съобщение|изворна порука|originalna poruka|الرسالة الأصلية|رسالة أصلية|پیام اصلی|הודעה מקורית"
    r"|मूल संदेश|ข้อความต้นฉบับ|ข้อความเดิม|thư gốc|tin nhắn gốc|pesan asli|mesej asal|原始邮件|原始信息|原邮件"
    r"|原始郵件|元のメッセージ"
    r"|원본 메시지|원본 이메일|សារដើម|សារ​ដើម|ዋናው መልዕክት|የመጀመሪያ መልእክት|ujumbe wa asili"
)
_FORWARDED: Final = (
    r"forwarded message|begin forwarded message|weitergeleitete nachricht|anfang der weitergeleiteten nachricht"
    r"|message transféré|début du message (?:transféré|réexpédié)|mensaje reenviado|inicio del mensaje reenviado"
    r"|messaggio inoltrato|inizio messaggio inoltrato|mensagem encaminhada|doorgestuurd bericht"
    r"|vidarebefordrat meddelande"
    r"|videresendt|przekazana wiadomość|wiadomość przekazana|přeposlaná zpráva|пересылаемое сообщение"
    r"|пересланное сообщение"
    r"|начало переадресованного сообщения|переслане повідомлення|رسالة مُ?عاد توجيهها|رسالة محولة|הודעה שהועברה"
    r"|转发的邮件"
    r"|轉寄的郵件|転送されたメッセージ|전달된 메시지|សារ​?បញ្ជូន​?បន្ត|የተላለፈ መልዕክት|iletilen mesaj"
)
_DIVIDER: Final = re.compile(
    rf"^[\s>*|]{{0,5}}[-_=*–—+#~]{{2,40}}\s{{0,3}}(?:{_ORIGINAL})\s{{0,3}}[-_=*–—+#~]{{0,40}}:?\s*$"
    rf"|^(?:{_ORIGINAL})\s?[-_=–—]{{5,40}}$",
    re.IGNORECASE,
)
_ON_BETWEEN: Final = re.compile(rf"^-{{2,10}}\s?\S.{{10,300}}\s(?:{_WROTE})\s?-{{2,10}}$", re.IGNORECASE)
_ABOVE: Final = re.compile(
    r"^\W{0,12}(?:please )?(?:reply|write|type|respond|answer)(?: your (?:reply|answer"
    r"|response))? above this line\W{0,12}$"
    r"|^\W{0,12}(?:bitte )?(?:antworten|schreiben) sie (?:ihre antwort )?(?:über|oberhalb) dieser (?:zeile"
    r"|linie)\W{0,12}$"
    r"|^\W{0,12}(?:пожалуйста, )?(?:пишите|введите|напишите) (?:свой |ваш )?ответ выше этой (?:строки"
    r"|линии)\W{0,12}$",
    re.IGNORECASE,
)
_PASSED_ON: Final = re.compile(
    rf"^[\s>*|]{{0,5}}[-_=*–—]{{0,40}}\s{{0,3}}(?:{_FORWARDED})\s{{0,3}}[-_=*–—:]{{0,40}}\s*$", re.IGNORECASE
)
_RULER: Final = re.compile(r"^[-_=*─━–—]{5,}$")


def divider(line: str) -> bool:
    if len(line) > MAX_ATTRIBUTION:
        return False
    between = _ON_BETWEEN.match(line) is not None and _DATE.search(line) is not None
    return between or _DIVIDER.match(line) is not None or _ABOVE.match(line) is not None


def forwarded(line: str) -> bool:
    return len(line) <= 160 and _PASSED_ON.match(line) is not None


def ruler(line: str) -> bool:
    return len(line) <= 200 and _RULER.match(line) is not None


# --- "From: … Sent: … To: … Subject: …" ------------------------------------------------------------------------------

_FROM: Final = (
    "from|von|de|da|van|från|fra|lähettäjä|od|odesílatel|feladó|expeditor|kimden|gönderen|από|от|отправитель|від"
    "|від кого|من|از|מאת"
    "|מ|प्रेषक|จาก|từ|dari|发件人|寄件者|寄件人|差出人|送信者|보낸 사람|보낸사람|ពី|ពី​|ከ|kutoka"
)
_SENT: Final = (
    "sent|gesendet|envoyé|envoyé le|enviado|enviado el|enviado em|inviato|verzonden|skickat|sendt|lähetetty"
    "|wysłano|wysłane"
    "|odesláno|odoslané|elküldve|trimis|gönderilen|gönderildi|gönderme tarihi|στάλθηκε|отправлено|надіслано"
    "|изпратено|poslato|تم الإرسال"
    "|أُرسلت|مرسل|ارسال شده|נשלח|भेजा गया|ส่ง|ส่งเมื่อ|đã gửi|dikirim|发送时间|发送日期|寄件日期|傳送時間|已傳送"
    "|送信日時|보낸 날짜|បានផ្ញើ|បាន​ផ្ញើ"
    "|የተላከው|imetumwa"
)
_ON_DAY: Final = (
    "date|datum|fecha|data|dato|päiväys|dátum|tarih|ημερομηνία|дата|التاريخ|تاريخ|تاریخ|תאריך|दिनांक|วันที่|ngày"
    "|tanggal|日期|日時"
    "|日付|날짜|កាលបរិច្ឆេទ|ថ្ងៃ|ቀን|tarehe"
)
_TO: Final = (
    "to|an|à|para|a|aan|till|til|vastaanottaja|do|komu|címzett|către|kime|alıcı|προς|кому|до|إلى|به|אל|प्रति|ถึง"
    "|đến|tới|kepada|ke"
    "|收件人|收件者|宛先|받는 사람|받는사람|ទៅ|ជូន|ለ|kwa"
)
_COPY: Final = "cc|bcc|kopie|copie|copia|cópia|kopia|kopi|dw|копия|копія|نسخة|העתק|抄送|副本|참조|reply-to"
_ABOUT: Final = (
    "subject|betreff|objet|asunto|oggetto|assunto|onderwerp|ämne|emne|aihe|temat|předmět|predmet|tárgy|subiect"
    "|konu|θέμα|тема"
    "|тема сообщения|الموضوع|موضوع|נושא|विषय|หัวเรื่อง|เรื่อง|chủ đề|tiêu đề|perihal|subjek|主题|主旨|件名|제목"
    "|ប្រធានបទ|កម្មវត្ថុ|ርዕሰ ጉዳይ|ርዕስ|mada"
)


def _labels(names: str) -> frozenset[str]:
    return frozenset(_UNSEEN.sub("", name) for name in names.split("|"))


_BY_LABEL: Final[dict[str, str]] = {
    **dict.fromkeys(_labels(_COPY), "copy"),
    **dict.fromkeys(_labels(_TO), "to"),
    **dict.fromkeys(_labels(_ON_DAY), "date"),
    **dict.fromkeys(_labels(_ABOUT), "about"),
    **dict.fromkeys(_labels(_SENT), "sent"),
    **dict.fromkeys(_labels(_FROM), "from"),
}
_LABEL: Final = re.compile(
    rf"^[>*_\s|]{{0,6}}([^\s{COLONS}*_][^{COLONS}*_\n]{{0,24}}?)[\s*_]{{0,3}}[{COLONS}][*_]{{0,2}}(?:\s|$|(?=\S))"
)
_KEYS: Final = frozenset({"from", "sent", "date", "to", "about"})


def header_block(lines: Sequence[str]) -> int:
    """How many of the first lines are the head of a mail that a program has copied; 0 where it is none."""
    found: dict[str, str] = {}
    last = 0
    for number, line in enumerate(lines[:24]):
        matched = _LABEL.match(line) if len(line) <= 2_000 else None
        key = _BY_LABEL.get(matched[1].strip().casefold()) if matched else None
        if matched is not None and key is not None:
            found.setdefault(key, line[matched.end() :])
            last = number + 1
        elif not found or number - last >= 2:
            break  # it begins with one; between two of them there may be a blank line, or a list that goes on
    keys = found.keys() & _KEYS
    address = any(_EMAIL.search(value) for value in found.values())
    dated = any(_DATE.search(found.get(key, "")) for key in ("sent", "date"))
    if not ({"from"} <= keys and len(keys) >= 3):
        fine = False
    elif "sent" in keys:
        fine = "to" in keys or "about" in keys
    else:
        fine = "date" in keys and "about" in keys and (address or dated) and ("to" in keys or address)
    return last if fine else 0


# --- signatures ----------------------------------------------------------------------------------------------------

SIGNATURE_MARK: Final = re.compile(r"^(?:--|—|––)$")
SENT_FROM: Final = re.compile(
    r"^\W{0,4}(?:sent (?:from|with|via|by)\b|get outlook for\b|sent using\b|von meinem .{1,40} gesendet"
    r"|gesendet (?:von|mit|aus)\b"
    r"|diese nachricht wurde von meinem|envoyé (?:de(?:puis)?|avec|à partir)\b|télécharger outlook"
    r"|enviado (?:desde|con|do|a partir)\b"
    r"|obtener outlook|obter o outlook|inviato (?:da|con)\b|verzonden (?:vanaf|met|vanuit)\b|skickat från\b"
    r"|sendt fra\b|lähetetty\b.{0,40}(?:sta|stä)\b"
    r"|wysłane z\b|wysłano z\b|odesláno z\b|odoslané z\b|trimis (?:de pe|din)\b|.{1,30}(?:'?den|'?dan) gönderildi"
    r"|отправлено (?:с|из|через)\b|послано с\b"
    r"|надіслано (?:з|із)\b|изпратено от\b|أُ?رسلت من|مرسل من|تم الإرسال من|ارسال شده از|נשלח מה|发自我的"
    r"|發自我的|从我的.{1,20}发送|.{1,20}から送信"
    r"|나의 .{1,20}에서 보냄|.{1,20}에서 보냄|gửi từ|được gửi từ|dikirim dari|ส่งจาก|បាន​?ផ្ញើ​?ពី|ផ្ញើ​?ពី"
    r"|ከ.{1,30}የተላከ|imetumwa kutoka)",
    re.IGNORECASE,
)
CONTACT: Final = re.compile(
    r"@|https?://|\bwww\.|\+?\d[\d\s().-]{6,}\d|\bskype\b|\btel\b|\bfax\b|\bmobile?\b|тел\b", re.IGNORECASE
)
FAREWELL: Final = re.compile(
    r"^(?:thanks?(?: you)?(?: very much| so much| again| in advance)?|many thanks|cheers|regards|(?:best|kind"
    r"|warm(?:est)?) (?:regards|wishes)"
    r"|best|sincerely(?: yours)?|yours (?:sincerely|faithfully|truly)|viele grüße|mit freundlichen grüßen|mfg|lg"
    r"|cordialement|bien à vous"
    r"|saludos(?: cordiales)?|un saludo|cordiali saluti|att|atenciosamente|с уважением|спасибо|з повагою|дякую"
    r"|pozdrawiam|met vriendelijke groet)"
    r"\s*[,.!،，]?$",
    re.IGNORECASE,
)

# They say that their answers stand between the lines of what they quote.
ANSWERS_WITHIN: Final = re.compile(
    r"\b(?:in-?line|interspersed|between the lines|in (?:red|blue|green|bold|capitals)|(?:answers?|replies"
    r"|repl(?:y|ied)|comments?|responses?|notes?)"
    r"\b.{0,30}\b(?:below|inside|within|underneath|in the (?:text|mail|e-?mail|quote))|see (?:below|my (?:answers"
    r"|comments|replies)))\b"
    r"|\b(?:siehe unten|s\. ?u\.|im text|zwischen den zeilen|in (?:rot|blau|grün)|unten im|antworten? (?:unten"
    r"|im text|direkt))\b"
    r"|\b(?:ci-dessous|dans le texte|en rouge|en bleu|voir (?:plus bas|ci-dessous)|au fil du texte)\b"
    r"|\b(?:más abajo|abajo|en rojo|en azul|entre líneas|qui sotto|in rosso|abaixo|em vermelho|hieronder"
    r"|in het rood)\b"
    r"|\b(?:ниже|внизу|в тексте|красным|синим|по тексту|между строк|нижче|червоним|у тексті)\b"
    r"|أدناه|بالأسفل|في النص|باللون الأحمر|下面|见下|如下|红色|紅色|以下に|下記|インライン|本文中|아래|빨간색"
    r"|ខាងក្រោម|ពណ៌ក្រហម|ከታች|በቀይ",
    re.IGNORECASE,
)
