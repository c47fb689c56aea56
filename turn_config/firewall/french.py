"""The sheet in French, for the people who run the firewall of a hospital."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass, replace
from typing import Any

from turn_config.firewall.rows import Direction, IfClosed, Need
from turn_config.firewall.sheet import Profile, Traffic
from turn_config.firewall.words import AdviceWords, FlowWords, HostWords, LineWords, RuleWords, Words
from turn_config.listeners import Purpose

_FLOWS = FlowWords(
    title="Flux à ouvrir",
    intro=(
        (
            "Tous les flux sont à l’initiative des postes du site : ce sont des flux sortants, depuis un "
            "port source quelconque (1024 à 65535) vers le port indiqué. Aucun flux entrant n’est à ouvrir "
            "vers les postes."
        ),
        (
            "Les lignes « Retour » décrivent les réponses. Un pare-feu à états les laisse déjà passer avec "
            "le flux sortant correspondant ; elles ne sont à saisir que sur un équipement sans suivi d’état "
            "(ACL), ou si vos règles demandent que le retour soit écrit."
        ),
    ),
    media_ways="Le son et l’image passent par {media} ou, à défaut, par un relais ({relays}) : ouvrez au "
    "moins l’un de ces flux, et tous si possible.",
    heads=("Port", "Sens", "Objet", "Besoin", "Si fermé"),
    direction={Direction.OUTBOUND: "Sortant", Direction.RETURN: "Retour"},
    need={Need.REQUIRED: "Indispensable", Need.ADVISED: "Recommandé", Need.OPTIONAL: "Facultatif"},
    need_means={
        Need.REQUIRED: "sans ce flux, aucun appel n’est possible.",
        Need.ADVISED: "nécessaire à une bonne qualité, ou aux postes dont les autres flux sont fermés.",
        Need.OPTIONAL: "second port du même relais, pour les sites qui l’ont déjà ouvert.",
    },
    purpose={
        Purpose.WEB: "Page, WebSocket, interface REST",
        Purpose.MEDIA: "Son et image",
        Purpose.TURN: "Relais STUN/TURN",
        Purpose.TURN_SECOND: "Relais STUN/TURN, second port",
        Purpose.TURN_TLS: "Relais TURN dans TLS",
    },
    comes_back="Réponses du port {port} vers les ports 1024 à 65535 des postes",
    if_closed={
        IfClosed.NO_CALL: "Ni page ni appel.",
        IfClosed.NO_MEDIA: "Les participants entrent dans l’appel, mais sans son ni image.",
        IfClosed.RELAYED: "Le son et l’image passent par un relais : plus de délai.",
        IfClosed.NEXT_PORT: "Le relais est joint par {instead}.",
        IfClosed.LAST_RESORT: "Ni son ni image pour les postes sans UDP.",
        IfClosed.NOTHING: "Sans effet tant que {instead} est ouvert.",
        IfClosed.UNANSWERED: "Comme si {instead} était fermé, sauf pare-feu à états.",
    },
    columns=(
        "Identifiant",
        "Hôte",
        "IPv4",
        "IPv6",
        "Protocole",
        "Port",
        "Sens",
        "Objet",
        "Besoin",
        "Si fermé",
    ),
)

_HOSTS = HostWords(
    title="Noms et adresses",
    intro="Les postes ouvrent {url} et doivent pouvoir résoudre les noms ci-dessous. Aucun autre serveur "
    "n’est contacté.",
    service_name="Le nom {name} doit lui aussi être résolu : il mène à l’un de ces hôtes.",
    caption="Hôtes de la plateforme",
    heads=("Nom", "IPv4", "IPv6", "Rôle"),
    none="—",
    serves={"calls": "appels", "relay": "relais"},
)

_LINE = LineWords(
    reserve_title="Débit à réserver",
    reserve_intro="Débit à garantir en RTP/UDP entre le site et les hôtes, dans chaque sens. Le service "
    "s’adapte à la ligne : au-dessous du minimum, il réduit puis coupe les images, et garde le son.",
    reserve_caption="Débit dans chaque sens",
    reserve_heads=("Usage", "Par poste", "{seats} postes simultanés"),
    reserve={
        Profile.USUAL: "À réserver",
        Profile.LEAST: "Minimum pour l’image",
        Profile.SOUND_ONLY: "Son seul",
    },
    reserve_note="Le nombre de postes est celui des personnes du site en appel au même moment. Pour un autre "
    "nombre, multipliez la colonne « Par poste ».",
    marks_title="Qualité de service (QoS)",
    marks_intro="Le serveur marque ce qu’il envoie (RFC 8837). Conservez ces marques jusqu’aux postes, et "
    "donnez la priorité au son.",
    marks_caption="Marques DSCP posées par le serveur",
    marks_heads=("Trafic", "Classe", "DSCP", "Octet TOS"),
    traffic={Traffic.SOUND: "Son", Traffic.PICTURES: "Image et partage d’écran", Traffic.REST: "Le reste"},
    marks_note="Dans l’autre sens, c’est au site de marquer le trafic vers {media} : par la stratégie QoS "
    "des postes ou sur les équipements d’accès. Si vos équipements effacent les marques, classez le trafic "
    "par adresse et par port.",
    no_marks="Le serveur ne pose pas de marque DSCP. Pour donner une priorité aux appels, classez le trafic "
    "vers {media} par adresse et par port.",
    times_title="Durées et qualité de la ligne",
    times_caption="Ce que le réseau doit garantir",
    times_heads=("Critère", "Valeur", "Sinon"),
    udp_state=(
        "Expiration des sessions UDP",
        "au moins {seconds} s",
        (
            "Le son et l’image s’arrêtent en cours d’appel. Les navigateurs entretiennent le flux toutes les "
            "{consent} s."
        ),
    ),
    tcp_idle=(
        "Expiration des sessions TCP inactives",
        "au moins {seconds} s",
        (
            "La page se reconnecte sans cesse. Les WebSocket sont entretenus toutes les {ping} s en appel et "
            "{waiting_ping} s en salle d’attente."
        ),
    ),
    tls=(
        "TLS",
        "{version} ou plus récent",
        "Aucune connexion. Le certificat doit parvenir aux postes tel quel, au nom de {name}.",
    ),
    round_trip=("Aller-retour vers les hôtes", "moins de {ms} ms", "Les participants se coupent la parole."),
    loss=("Perte de paquets", "moins de {percent} %", "Image figée, puis son haché."),
)

_ADVICE = AdviceWords(
    title="Équipements à paramétrer",
    inspection=(
        "Inspection TLS",
        (
            "Excluez {names} du déchiffrement HTTPS. Avec une inspection, la page peut s’afficher alors que "
            "les WebSocket sont coupés et que l’appel échoue."
        ),
    ),
    proxy=(
        "Proxy",
        (
            "L’accès direct est préférable. À travers un proxy explicite : autorisez la méthode CONNECT vers "
            "{web}, sans authentification pour {names}, et sans limite de durée des connexions."
        ),
    ),
    proxy_and_media="Le son et l’image ne passent pas par le proxy : {media} doit être ouvert en direct.",
    proxy_and_relays="Le son et l’image ne passent pas par le proxy : {media} ou un relais ({relays}) doit "
    "être ouvert en direct.",
    proxy_and_tls="Seul le relais dans TLS ({tls}) peut traverser un proxy qui accepte CONNECT vers ce port.",
    application=(
        "Filtrage applicatif (DPI, IPS)",
        (
            "Désactivez l’inspection approfondie pour ces flux : ils sont chiffrés (DTLS-SRTP), et "
            "l’inspection n’y ajoute que du délai. Si le pare-feu classe par application, autorisez STUN, "
            "TURN, DTLS et RTP vers ces adresses."
        ),
    ),
    sip=(
        "ALG SIP",
        "Désactivez-le pour ces adresses : ces flux ne sont pas du SIP, et un paquet réécrit est rejeté.",
    ),
    floods=(
        "Protection contre les inondations UDP",
        (
            "Exemptez ces adresses ou relevez les seuils : {seats} postes simultanés font environ {packets} "
            "paquets par seconde dans chaque sens, souvent derrière une seule adresse (NAT)."
        ),
    ),
    browsers=(
        "Stratégies des navigateurs",
        (
            "N’interdisez pas WebRTC et ne le limitez pas au proxy (pour Chrome et Edge, pas de "
            "« disable_non_proxied_udp ») ; autorisez caméra et microphone pour l’adresse du service."
        ),
    ),
)

_RULES = RuleWords(
    about=(
        "Règles pour les hôtes eux-mêmes, du côté du serveur : ce qu’ils doivent accepter.",
        "Le même fichier convient à tous : les règles d’un hôte sont sans effet sur les autres.",
        "Ports tels que les clients les voient ; si un pare-feu les traduit, adaptez-les.",
        "Rien n’est interdit ici : fermer le reste est votre choix, voir les dernières lignes des chaînes.",
    ),
    nftables=(
        "Charger : nft -f FICHIER ; charger de nouveau remplace la table. Une autre table qui rejette",
        "ces paquets garde le dernier mot : dans ce cas, reprenez ces règles dans sa chaîne.",
    ),
    iptables=(
        "Un seul fichier pour IPv4 et IPv6 : iptables-restore --noflush FICHIER, puis",
        "ip6tables-restore --noflush FICHIER. Une fois pour toutes, avec iptables puis ip6tables :",
        "iptables -I INPUT -j COLLOQUE-INPUT ; iptables -I OUTPUT -j COLLOQUE-OUTPUT.",
    ),
    clients="Ce qu’envoient les clients",
    from_calls="Ce que les appels renvoient au relais",
    to_calls="Du relais vers les appels",
    drop_input=(
        "Pour fermer le reste, acceptez d’abord ci-dessus SSH, la supervision et ce dont vous avez besoin,",
        "puis retirez le # de la ligne suivante.",
    ),
    only_to_calls=(
        "Le reste est fermé à coturn par les règles qu’écrit colloque turn coturn --what nftables,",
        "à charger sur chaque hôte qui sert de relais.",
    ),
)


def _spaced(value: Any) -> Any:
    """Put the spaces that French typography wants unbroken where they are written as plain ones."""
    match value:
        case str():
            text = re.sub(r" (?=[:;?!»%])", "\u00a0", value).replace("« ", "«\u00a0")
            return re.sub(r"(?<=[\d}]) (?=(?:s|ms|postes)\b)", "\u00a0", text)
        case tuple():
            return tuple(_spaced(one) for one in value)
        case dict():
            return {key: _spaced(one) for key, one in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{one.name: _spaced(getattr(value, one.name)) for one in fields(value)})
    return value


FRENCH: Words = _spaced(
    Words(
        language="fr",
        title="Fiche pare-feu",
        lead="Ce qu’un établissement doit ouvrir sur son réseau pour que ses postes participent aux "
        "visioconférences de {url}.",
        address="Service",
        date="Date",
        fingerprint="Empreinte",
        contact="Contact",
        test_page="Page de test",
        date_format="%d/%m/%Y",
        decimal_point=",",
        thousands="\u202f",
        mbps="Mbit/s",
        kbps="kbit/s",
        label="{label} : {text}",
        flows=_FLOWS,
        hosts=_HOSTS,
        line=_LINE,
        advice=_ADVICE,
        rules=_RULES,
        check_title="Vérifier",
        check_test="Depuis un poste du site, ouvrez {test_page} et faites un essai avec la caméra et le "
        "microphone.",
        check_contact="En cas de doute : {contact}.",
        check_fingerprint="L’empreinte {fingerprint} change dès que change un réglage dont dépend cette "
        "fiche. Si le serveur en annonce une autre, cette feuille est périmée. L’exploitant la lit par « "
        "colloque turn firewall » ou sur le port d’administration, à /firewall.html.",
    )
)
