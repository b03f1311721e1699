"""Countries' other names, their peoples and languages, and groups of people that are written like peoples.

Written for this project; keyed by ISO code. Only countries that stand here are put in the place of a country.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["CAMPS", "FAITHS", "LANGUAGES", "NATIONS", "PEOPLES", "Nation"]


class Nation(NamedTuple):
    """A country.

    Attributes:
        code: ISO 3166.
        adjective: German.
        people: Germans; empty where it is the adjective or unusual.
        name: what newspapers call it, where GeoNames writes another name; else empty.
        others: more names of the country.
    """

    code: str
    adjective: str
    people: str
    name: str
    others: tuple[str, ...]


# code; adjective; people; other names of the country, with = what newspapers call it
_TABLE = """
AD; Andorran; Andorrans
AE; Emirati; Emiratis; UAE, Emirates, U.A.E.
AF; Afghan; Afghans
AL; Albanian; Albanians
AM; Armenian; Armenians
AO; Angolan; Angolans
AR; Argentine; Argentines
AT; Austrian; Austrians
AU; Australian; Australians
AZ; Azerbaijani; Azerbaijanis
BA; Bosnian; Bosnians; =Bosnia, Bosnia-Herzegovina
BB; Barbadian; Barbadians
BD; Bangladeshi; Bangladeshis
BE; Belgian; Belgians
BF; Burkinabe;
BG; Bulgarian; Bulgarians
BH; Bahraini; Bahrainis
BI; Burundian; Burundians
BJ; Beninese;
BN; Bruneian; Bruneians
BO; Bolivian; Bolivians
BR; Brazilian; Brazilians
BS; Bahamian; Bahamians
BT; Bhutanese;
BW; Botswanan; Botswanans
BY; Belarusian; Belarusians; Byelorussia, Belorussia
BZ; Belizean; Belizeans
CA; Canadian; Canadians
CD; Congolese; ; =DR Congo, Congo, Zaire
CH; Swiss;
CI; Ivorian; Ivorians; Ivory Coast
CL; Chilean; Chileans
CM; Cameroonian; Cameroonians
CN; Chinese; ; PRC
CO; Colombian; Colombians
CR; Costa Rican; Costa Ricans
CU; Cuban; Cubans
CV; Cape Verdean; Cape Verdeans; =Cape Verde
CY; Cypriot; Cypriots
CZ; Czech; Czechs; =Czech Republic, Czechoslovakia
DE; German; Germans; West Germany, East Germany
DJ; Djiboutian; Djiboutians
DK; Danish; Danes
DO; Dominican; Dominicans
DZ; Algerian; Algerians
EC; Ecuadorean; Ecuadoreans
EE; Estonian; Estonians
EG; Egyptian; Egyptians
ER; Eritrean; Eritreans
ES; Spanish; Spaniards
ET; Ethiopian; Ethiopians
FI; Finnish; Finns
FJ; Fijian; Fijians
FR; French;
GA; Gabonese;
GB; British; Britons; =Britain, UK, U.K., Great Britain
GE; Georgian; Georgians
GH; Ghanaian; Ghanaians
GM; Gambian; Gambians; =Gambia
GN; Guinean; Guineans
GR; Greek; Greeks
GT; Guatemalan; Guatemalans
GW; Bissau-Guinean; ; Guinea Bissau
GY; Guyanese;
HN; Honduran; Hondurans
HR; Croatian; Croats
HT; Haitian; Haitians
HU; Hungarian; Hungarians
ID; Indonesian; Indonesians
IE; Irish; ; Irish Republic
IL; Israeli; Israelis
IN; Indian; Indians
IQ; Iraqi; Iraqis
IR; Iranian; Iranians
IS; Icelandic; Icelanders
IT; Italian; Italians
JM; Jamaican; Jamaicans
JO; Jordanian; Jordanians
JP; Japanese;
KE; Kenyan; Kenyans
KG; Kyrgyz; ; Kyrgyz Republic
KH; Cambodian; Cambodians
KM; Comorian; Comorians
KP; North Korean; North Koreans
KR; South Korean; South Koreans; Republic of Korea, Korea
KW; Kuwaiti; Kuwaitis
KZ; Kazakh; Kazakhs
LA; Laotian; Laotians
LB; Lebanese;
LI; Liechtensteiner; Liechtensteiners
LK; Sri Lankan; Sri Lankans; Ceylon
LR; Liberian; Liberians
LS; Basotho;
LT; Lithuanian; Lithuanians
LU; Luxembourgish; Luxembourgers
LV; Latvian; Latvians
LY; Libyan; Libyans
MA; Moroccan; Moroccans
MC; Monegasque; Monegasques
MD; Moldovan; Moldovans
ME; Montenegrin; Montenegrins
MG; Malagasy;
MK; Macedonian; Macedonians; Macedonia, FYROM
ML; Malian; Malians
MM; Burmese; ; Burma
MN; Mongolian; Mongolians
MR; Mauritanian; Mauritanians
MT; Maltese;
MU; Mauritian; Mauritians
MV; Maldivian; Maldivians; The Maldives
MW; Malawian; Malawians
MX; Mexican; Mexicans
MY; Malaysian; Malaysians
MZ; Mozambican; Mozambicans
NA; Namibian; Namibians
NE; Nigerien; Nigeriens
NG; Nigerian; Nigerians
NI; Nicaraguan; Nicaraguans
NL; Dutch; Dutchmen; =Netherlands, Holland
NO; Norwegian; Norwegians
NP; Nepalese; Nepalis
NZ; New Zealand; New Zealanders; N.Z.
OM; Omani; Omanis
PA; Panamanian; Panamanians
PE; Peruvian; Peruvians
PG; Papua New Guinean; Papua New Guineans
PH; Filipino; Filipinos; The Philippines
PK; Pakistani; Pakistanis
PL; Polish; Poles
PS; Palestinian; Palestinians; =Palestine
PT; Portuguese;
PY; Paraguayan; Paraguayans
QA; Qatari; Qataris
RO; Romanian; Romanians
RS; Serbian; Serbs; Yugoslavia
RU; Russian; Russians; Russian Federation, Soviet Union, USSR, U.S.S.R.
RW; Rwandan; Rwandans
SA; Saudi; Saudis
SC; Seychellois;
SD; Sudanese;
SE; Swedish; Swedes
SG; Singaporean; Singaporeans
SI; Slovenian; Slovenians
SK; Slovak; Slovaks; Slovak Republic
SL; Sierra Leonean; Sierra Leoneans
SN; Senegalese;
SO; Somali; Somalis
SR; Surinamese; ; Surinam
SS; South Sudanese;
SV; Salvadoran; Salvadorans
SY; Syrian; Syrians
SZ; Swazi; Swazis; Swaziland
TD; Chadian; Chadians
TG; Togolese;
TH; Thai; Thais
TJ; Tajik; Tajiks
TL; Timorese; ; =East Timor
TM; Turkmen; Turkmens
TN; Tunisian; Tunisians
TO; Tongan; Tongans
TR; Turkish; Turks
TT; Trinidadian; Trinidadians; Trinidad
TW; Taiwanese;
TZ; Tanzanian; Tanzanians
UA; Ukrainian; Ukrainians; The Ukraine
UG; Ugandan; Ugandans
US; American; Americans; U.S., US, USA, U.S.A., America, United States of America
UY; Uruguayan; Uruguayans
UZ; Uzbek; Uzbeks
VE; Venezuelan; Venezuelans
VN; Vietnamese; ; Viet Nam
YE; Yemeni; Yemenis
ZA; South African; South Africans
ZM; Zambian; Zambians
ZW; Zimbabwean; Zimbabweans; Rhodesia
ENG; English; Englishmen; =England
SCT; Scottish; Scots; =Scotland
WLS; Welsh; Welshmen; =Wales
NIR; Northern Irish; ; =Northern Ireland, Ulster
"""


def _nation(line: str) -> Nation:
    code, adjective, people, *more = (part.strip() for part in line.split(";"))
    names = [name.strip() for name in more[0].split(",")] if more else []
    usual = next((name.removeprefix("=") for name in names if name.startswith("=")), "")
    return Nation(code, adjective, people, usual, tuple(name for name in names if not name.startswith("=")))


NATIONS: tuple[Nation, ...] = tuple(_nation(line) for line in _TABLE.strip().splitlines())

# Adjectives that are no country's, or not the usual one.
PEOPLES: tuple[str, ...] = (
    *("African", "Arab", "Argentinian", "Asian", "Basque", "Bosnian Serb", "Breton", "Caribbean", "Catalan"),
    *("Chechen", "Corsican", "Croat", "Ecuadorian", "European", "Flemish", "Hispanic", "Hutu", "Iraqi Kurdish"),
    *("Israeli Arab", "Korean", "Kurdish", "Latin American", "Nepali", "Nordic", "Scandinavian", "Serb", "Sicilian"),
    *("Slovene", "Soviet", "Spaniard", "Tamil", "Tatar", "Tibetan", "Tutsi", "Walloon", "Yugoslav", "Zulu"),
)

LANGUAGES: tuple[str, ...] = (
    *("Afrikaans", "Albanian", "Amharic", "Arabic", "Armenian", "Azerbaijani", "Basque", "Belarusian", "Bengali"),
    *("Bosnian", "Bulgarian", "Burmese", "Cantonese", "Catalan", "Croatian", "Czech", "Danish", "Dutch", "English"),
    *("Estonian", "Farsi", "Finnish", "French", "Galician", "Georgian", "German", "Greek", "Gujarati", "Hausa"),
    *("Hebrew", "Hindi", "Hungarian", "Icelandic", "Igbo", "Indonesian", "Irish", "Italian", "Japanese", "Javanese"),
    *("Kazakh", "Khmer", "Korean", "Kurdish", "Lao", "Latin", "Latvian", "Lithuanian", "Macedonian", "Malay"),
    *("Maltese", "Mandarin", "Marathi", "Mongolian", "Nepali", "Norwegian", "Pashto", "Persian", "Polish"),
    *("Portuguese", "Punjabi", "Romanian", "Russian", "Sanskrit", "Serbian", "Sinhala", "Slovak", "Slovenian"),
    *("Somali", "Spanish", "Swahili", "Swedish", "Tagalog", "Tamil", "Tatar", "Telugu", "Thai", "Tibetan", "Turkish"),
    *("Ukrainian", "Urdu", "Uzbek", "Vietnamese", "Welsh", "Yiddish", "Yoruba", "Zulu"),
)

FAITHS: tuple[tuple[str, str], ...] = (
    *(("Anglican", "Anglicans"), ("Baptist", "Baptists"), ("Buddhist", "Buddhists"), ("Catholic", "Catholics")),
    *(("Christian", "Christians"), ("Hindu", "Hindus"), ("Jewish", "Jews"), ("Lutheran", "Lutherans")),
    *(("Methodist", "Methodists"), ("Mormon", "Mormons"), ("Moslem", "Moslems"), ("Muslim", "Muslims")),
    *(("Orthodox", ""), ("Protestant", "Protestants"), ("Roman Catholic", "Roman Catholics"), ("Shiite", "Shiites")),
    *(("Sikh", "Sikhs"), ("Sunni", "Sunnis"), ("Islamic", ""), ("Presbyterian", "Presbyterians")),
)

CAMPS: tuple[tuple[str, str], ...] = (
    *(("Communist", "Communists"), ("Conservative", "Conservatives"), ("Democratic", "Democrats")),
    *(("Fascist", "Fascists"), ("Green", "Greens"), ("Liberal", "Liberals"), ("Maoist", "Maoists")),
    *(("Marxist", "Marxists"), ("Nazi", "Nazis"), ("Republican", "Republicans"), ("Socialist", "Socialists")),
    *(("Social Democratic", "Social Democrats"), ("Stalinist", "Stalinists"), ("Tory", "Tories")),
    *(("Christian Democratic", "Christian Democrats"), ("Democrat", "Democrats"), ("Zionist", "Zionists")),
)
