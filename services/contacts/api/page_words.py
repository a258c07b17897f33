"""What the pages for customers say, in each language that they speak: nothing but texts.

Another language is another entry of `WORDS`. Of purposes, channels and interests an installation gives the names itself, see
`RAPPORT_CONTACTS_NAMES`; here are those of the usual channels.
"""

from collections.abc import Mapping
from dataclasses import dataclass

ENGLISH = "en"


@dataclass(frozen=True)
class Words:
    """One language. `{...}` stands for what is put in."""

    preferences: str
    language: str
    saved: str
    nothing: str
    save: str
    unsubscribed: str
    not_any_more: str
    please_confirm: str
    somebody_allowed: str
    if_not_you: str
    confirm: str
    confirmed: str
    thank_you: str
    yes: str
    no: str
    may_we: str
    ended: str
    interested: str
    unsubscribe: str
    no_more: str
    on_channel: str
    on_every_channel: str
    text: str
    link_fails: str
    link_invalid: str
    link_over: str
    channels: Mapping[str, str]


WORDS: Mapping[str, Words] = {
    ENGLISH: Words(
        preferences="Your preferences",
        language="Language (for example en or de-AT)",
        saved="Saved.",
        nothing="You have not been asked for anything.",
        save="Save",
        unsubscribed="Unsubscribed",
        not_any_more="You will not get it any more.",
        please_confirm="Please confirm",
        somebody_allowed="Somebody, we think you, has allowed us:",
        if_not_you="If it was not you, close this page: then nothing happens.",
        confirm="Yes, I confirm",
        confirmed="Confirmed",
        thank_you="Thank you. It is confirmed.",
        yes="Yes",
        no="No",
        may_we="May we?",
        ended="Your permission has ended.",
        interested="Interested in {what}?",
        unsubscribe="Unsubscribe",
        no_more="No more {what}",
        on_channel="{purpose}, by {channel}",
        on_every_channel="{purpose}, on every channel",
        text="text {wording}",
        link_fails="This link does not work",
        link_invalid="The link is not valid.",
        link_over="The link is over. Ask for another one.",
        channels={"email": "email", "phone": "phone", "sms": "SMS", "mail": "post"},
    ),
    "de": Words(
        preferences="Ihre Einstellungen",
        language="Sprache (zum Beispiel de oder de-AT)",
        saved="Gespeichert.",
        nothing="Sie wurden noch nach nichts gefragt.",
        save="Speichern",
        unsubscribed="Abgemeldet",
        not_any_more="Sie erhalten das nicht mehr.",
        please_confirm="Bitte bestätigen",
        somebody_allowed="Jemand, vermutlich Sie, hat uns erlaubt:",
        if_not_you="Wenn Sie das nicht waren, schließen Sie diese Seite: Dann geschieht nichts.",
        confirm="Ja, ich bestätige",
        confirmed="Bestätigt",
        thank_you="Vielen Dank. Es ist bestätigt.",
        yes="Ja",
        no="Nein",
        may_we="Dürfen wir?",
        ended="Ihre Erlaubnis ist abgelaufen.",
        interested="Interessiert an: {what}?",
        unsubscribe="Abmelden",
        no_more="Nicht mehr: {what}",
        on_channel="{purpose}, per {channel}",
        on_every_channel="{purpose}, auf allen Kanälen",
        text="Text {wording}",
        link_fails="Dieser Link funktioniert nicht",
        link_invalid="Der Link ist nicht gültig.",
        link_over="Der Link ist abgelaufen. Bitte fordern Sie einen neuen an.",
        channels={"email": "E-Mail", "phone": "Telefon", "sms": "SMS", "mail": "Post"},
    ),
    "fr": Words(
        preferences="Vos préférences",
        language="Langue (par exemple fr ou fr-CH)",
        saved="Enregistré.",
        nothing="On ne vous a encore rien demandé.",
        save="Enregistrer",
        unsubscribed="Désinscription effectuée",
        not_any_more="Vous ne le recevrez plus.",
        please_confirm="Veuillez confirmer",
        somebody_allowed="Quelqu'un, sans doute vous, nous a donné son accord pour :",
        if_not_you="Si ce n'était pas vous, fermez cette page : il ne se passera rien.",
        confirm="Oui, je confirme",
        confirmed="Confirmé",
        thank_you="Merci. C'est confirmé.",
        yes="Oui",
        no="Non",
        may_we="Êtes-vous d'accord ?",
        ended="Votre accord a expiré.",
        interested="Intérêt pour : {what} ?",
        unsubscribe="Se désinscrire",
        no_more="Ne plus recevoir : {what}",
        on_channel="{purpose}, par {channel}",
        on_every_channel="{purpose}, par tous les canaux",
        text="texte {wording}",
        link_fails="Ce lien ne fonctionne pas",
        link_invalid="Le lien n'est pas valable.",
        link_over="Le lien a expiré. Demandez-en un autre.",
        channels={"email": "e-mail", "phone": "téléphone", "sms": "SMS", "mail": "courrier"},
    ),
    "es": Words(
        preferences="Sus preferencias",
        language="Idioma (por ejemplo es o es-MX)",
        saved="Guardado.",
        nothing="Aún no se le ha preguntado nada.",
        save="Guardar",
        unsubscribed="Baja realizada",
        not_any_more="Ya no lo recibirá.",
        please_confirm="Confirme, por favor",
        somebody_allowed="Alguien, creemos que usted, nos ha dado permiso para:",
        if_not_you="Si no fue usted, cierre esta página: no pasará nada.",
        confirm="Sí, lo confirmo",
        confirmed="Confirmado",
        thank_you="Gracias. Queda confirmado.",
        yes="Sí",
        no="No",
        may_we="¿Nos lo permite?",
        ended="Su permiso ha caducado.",
        interested="¿Le interesa: {what}?",
        unsubscribe="Darse de baja",
        no_more="No recibir más: {what}",
        on_channel="{purpose}, por {channel}",
        on_every_channel="{purpose}, por todos los canales",
        text="texto {wording}",
        link_fails="Este enlace no funciona",
        link_invalid="El enlace no es válido.",
        link_over="El enlace ha caducado. Pida otro.",
        channels={"email": "correo electrónico", "phone": "teléfono", "sms": "SMS", "mail": "correo postal"},
    ),
    "it": Words(
        preferences="Le sue preferenze",
        language="Lingua (per esempio it o it-CH)",
        saved="Salvato.",
        nothing="Non le è stato ancora chiesto nulla.",
        save="Salva",
        unsubscribed="Iscrizione annullata",
        not_any_more="Non lo riceverà più.",
        please_confirm="Confermi, per favore",
        somebody_allowed="Qualcuno, probabilmente lei, ci ha dato il permesso per:",
        if_not_you="Se non è stata una sua richiesta, chiuda questa pagina: non succederà nulla.",
        confirm="Sì, confermo",
        confirmed="Confermato",
        thank_you="Grazie. È confermato.",
        yes="Sì",
        no="No",
        may_we="Ce lo permette?",
        ended="Il suo permesso è scaduto.",
        interested="Le interessa: {what}?",
        unsubscribe="Annulla l'iscrizione",
        no_more="Non ricevere più: {what}",
        on_channel="{purpose}, via {channel}",
        on_every_channel="{purpose}, su tutti i canali",
        text="testo {wording}",
        link_fails="Questo link non funziona",
        link_invalid="Il link non è valido.",
        link_over="Il link è scaduto. Ne chieda un altro.",
        channels={"email": "e-mail", "phone": "telefono", "sms": "SMS", "mail": "posta"},
    ),
    "nl": Words(
        preferences="Uw voorkeuren",
        language="Taal (bijvoorbeeld nl of nl-BE)",
        saved="Opgeslagen.",
        nothing="U is nog niets gevraagd.",
        save="Opslaan",
        unsubscribed="Afgemeld",
        not_any_more="U ontvangt dit niet meer.",
        please_confirm="Bevestig alstublieft",
        somebody_allowed="Iemand, waarschijnlijk u, heeft ons toestemming gegeven voor:",
        if_not_you="Was u dit niet, sluit dan deze pagina: er gebeurt niets.",
        confirm="Ja, ik bevestig",
        confirmed="Bevestigd",
        thank_you="Dank u. Het is bevestigd.",
        yes="Ja",
        no="Nee",
        may_we="Mogen wij dit?",
        ended="Uw toestemming is verlopen.",
        interested="Interesse in: {what}?",
        unsubscribe="Afmelden",
        no_more="Niet meer ontvangen: {what}",
        on_channel="{purpose}, via {channel}",
        on_every_channel="{purpose}, via alle kanalen",
        text="tekst {wording}",
        link_fails="Deze link werkt niet",
        link_invalid="De link is niet geldig.",
        link_over="De link is verlopen. Vraag een nieuwe aan.",
        channels={"email": "e-mail", "phone": "telefoon", "sms": "sms", "mail": "post"},
    ),
    "pl": Words(
        preferences="Twoje ustawienia",
        language="Język (na przykład pl lub en-GB)",
        saved="Zapisano.",
        nothing="Nie zadano jeszcze żadnego pytania.",
        save="Zapisz",
        unsubscribed="Wypisano",
        not_any_more="Nie będziemy już tego wysyłać.",
        please_confirm="Prosimy o potwierdzenie",
        somebody_allowed="Ktoś, prawdopodobnie Ty, wyraził zgodę na:",
        if_not_you="Jeśli to nie Ty, zamknij tę stronę: nic się nie stanie.",
        confirm="Tak, potwierdzam",
        confirmed="Potwierdzono",
        thank_you="Dziękujemy. Zgoda została potwierdzona.",
        yes="Tak",
        no="Nie",
        may_we="Czy wyrażasz zgodę?",
        ended="Twoja zgoda wygasła.",
        interested="Czy interesuje Cię: {what}?",
        unsubscribe="Wypisz się",
        no_more="Nie wysyłać więcej: {what}",
        on_channel="{purpose}, kanał: {channel}",
        on_every_channel="{purpose}, wszystkie kanały",
        text="tekst {wording}",
        link_fails="Ten link nie działa",
        link_invalid="Link jest nieprawidłowy.",
        link_over="Link wygasł. Poproś o nowy.",
        channels={"email": "e-mail", "phone": "telefon", "sms": "SMS", "mail": "poczta"},
    ),
}
