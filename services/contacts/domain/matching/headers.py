"""How columns are called: words of their names in several languages, and what such columns hold."""

import re
from collections.abc import Sequence

from services.contacts.domain.matching.kinds import Kind
from services.contacts.domain.matching.text import folded

# Words, folded and put together. Whichever is the longest that is part of a column's name says what it holds.
PARTS = """
EMAIL: email mail courriel correo
IDENTIFIER: socsec socialsecurity ssn nino nationalid nationalinsurance passport taxid taxnumber taxno steuer vat ustid tva
    ein siren siret companynumber companyno companyid registrationnumber registrationno regno registernummer handelsregister
    nhsnumber nhsno licensenumber licenceno driverlicense idnumber idno idcard nationalinsuranceno medicare bsn ppsn iban lei duns cnpj cpf dni nif pesel nip krs personnummer identitycard
nothing: latitude longitude created updated modified timestamp lastseen registereddate registeredon registeredat registrationdate registrdt regdate signup
    joined since snapshot admission admitted discharge placed expir validfrom validto startdate enddate issued lastlogin comment note
    remark weight score product campaign brand event
BIRTH: dob dateofbirth birthdate birthday bornon borndate geburtsdatum geboren gebdatum datenaissance datedenaissance
    fechanacimiento fechadenacimiento datanascita datadinascita geboortedatum dataurodzenia bday birthdt
YEAR: yearofbirth birthyear byear yob geburtsjahr anneenaissance birthyr
TEXT: maiden birthname geburtsname birthplace placeofbirth birthstate birthcity birthcountry geburtsort lieunaissance occupation profession job beruf
    dateofdeath deathdate diedon sterbedatum school universit department branch
SUFFIX: namesuffix suffix namesufx sufx generation
MIDDLE: middle midl midlname middlename secondname zweitname
ORGANISATION: supplier vendor lieferant fournisseur proveedor fornitore merchant company organisation organization orgname business firma firm entity legalname corporate tradingname societe
    raisonsociale empresa azienda ragionesociale bedrijf unternehmen employer companyname nombreempresa
PHONE: phone tel mobile cell handy fax telefon portable movil celular gsm
NUMBER: streetnumber streetno streetnum housenumber houseno housenum hausnummer hausnr numerocalle numvoie buildingnumber
    stnumber
POSTCODE: postcode postalcode postal zip plz codepostal codigopostal postleitzahl pcode pincode
STREET: residence domicile wohnhaft shipto billto street address1 addressline1 addr1 road strasse rue calle straat ulica via addressline address addr adresse
    direccion indirizzo anschrift
CITY: city town postaltown posttown suburb locality ort stadt ville ciudad citta plaats gemeente municipality village miasto municipio commune
REGION: state province region county bundesland departement departamento provincia district
CATEGORY: gender sex geschlecht sexe sexo country nation land pays race ethnic ethnicity marital language party
FAMILY: surname lastname familyname family lname nachname familienname nomdefamille nomfamille apellido cognome achternaam
    nazwisko sname secname lastnm
GIVEN: firstname givenname given forename fname vorname rufname prenom nombrepila voornaam imie firstnm christianname firstn
NAME: fullname name customername contactname personname customer contact person nom nombre nome naam title
"""
# Who somebody is to whoever keeps the register. Beside other words (patient_sex) it says nothing of what a column holds.
ROLES = """
buyer client kunde cliente patient applicant voter member mitglied tenant mieter subscriber recipient payee sender insured
versicherter guest author artist owner inhaber employee mitarbeiter student pupil donor spender holder debtor borrower passenger
policyholder beneficiary citizen resident
"""
# Whole names that are too short to look for in others.
WHOLE = """
GIVEN: first nome
FAMILY: last cognome nom
POSTCODE: cap cp
BIRTH: born birth
ORGANISATION: org
MIDDLE: mi
nothing: no nr registered
NUMBER: hnr number
REGION: st
YEAR: age birthage alter edad
CATEGORY: m title salutation
STREET: via
IDENTIFIER: ein vat
PHONE: tel
"""
NOTHING = "nothing"
NOT_COMPARED = re.compile(
    r"^(unnamed.*|index|row|rownumber|line|id|key|pk|uid|uuid|guid|.*uniqueid|recid|recordid|rid|entityid|clusterid|cluster\w*|label|"
    r"truth|groupid|matchid|personid|customerid|contactid|custid|partyid|source\w*|dataset|file|url|website|link|status|timestamp)$"
)
"""Columns that number or group records."""
ADDRESS_AGAIN = re.compile(r"(addr|address|adresse)\w*[2-9]$")


def _read(text: str) -> dict[str, Kind | None]:
    found: dict[str, Kind | None] = {}
    kind = NOTHING
    for word in text.split():
        if word.endswith(":"):
            kind = word[:-1]
        else:
            found[word] = None if kind == NOTHING else Kind[kind]
    return found


KIND_OF_PART, KIND_OF_WHOLE = _read(PARTS), _read(WHOLE)
ROLE_WORDS = ROLES.split()


def plain(name: str) -> str:
    """A column's name as the words above are written.

    >>> plain("FirstName"), plain("date of birth")
    ('firstname', 'dateofbirth')
    """
    return "".join(folded(name).split())


def by_name(header: str, words: Sequence[str] = ()) -> Kind | None:
    """What a column of this plain name holds, or None. `words` are those of the name, as far as it parts them."""
    if header in KIND_OF_WHOLE:
        return KIND_OF_WHOLE[header]
    if not {"age", "alter", "edad"}.isdisjoint(words):
        return Kind.YEAR
    if ADDRESS_AGAIN.search(header):
        return Kind.TEXT
    # Three letters are part of too many words, unless a name begins or ends with them.
    fitting = [
        (len(word), kind)
        for word, kind in KIND_OF_PART.items()
        if word in header and (len(word) > 3 or header.startswith(word) or header.endswith(word))
    ]
    return max(fitting, key=lambda one: one[0])[1] if fitting else None


def says_nothing(header: str) -> bool:
    """Known to say nothing about who somebody is."""
    return any(
        kind is None and (header.startswith(word) or header.endswith((word, f"{word}s")))
        for word, kind in KIND_OF_PART.items()
    )


def by_role(header: str) -> bool:
    """Whether a column of this plain name is called after who somebody is: buyer, patient."""
    return any(word in header for word in ROLE_WORDS)
