#pragma once

// The words of the bundled English-French corpus: tables, one word a line. What may be said of what (`kind`, `fits`,
// `subjects`, `objects`) keeps out sentences that are grammatical but absurd, and phrases whose French means something
// else ("petit ami" is no small friend, "vieille fille" no old girl). The order of the
// tables decides which combinations are held out.

#include <array>

namespace translate::lexicon {

/// What a noun denotes, as bits.
enum Kind : unsigned {
  adult = 1,
  child = 2,
  role = 4,
  animal = 8,
  plant = 16,
  thing = 32,
  text = 64,
  food = 128,
  place = 256,
  person = adult | child | role,
  alive = person | animal,
  goods = animal | plant | thing | text | food,
  anything = 511,
};

struct Noun {
  const char *english, *english_plural;
  char gender;  ///< 'm' or 'f'
  const char *french, *french_plural;
  unsigned kind;
};

/// Where a French adjective stands. A colour follows the noun and may join an adjective that precedes it.
enum Position { before, after, colour };

struct Adjective {
  const char* english;
  Position position;
  std::array<const char*, 4> french;  ///< masculine, feminine, masculine plural, feminine plural
  const char* before_vowel;           ///< masculine singular before a vowel sound
  unsigned fits;
};

/// How a verb may be used by the corpus.
enum Usage : unsigned {
  plain = 0,
  bare = 1,     ///< no place or time: "I know the man every day"
  definite = 2  ///< no "a", "some", "any" for its object: "Je n'aime pas de chat" is odd
};

struct Verb {
  const char *english, *third;        ///< "see", "sees"; with the preposition English needs
  std::array<const char*, 6> french;  ///< je, tu, il, nous, vous, ils; present tense
  unsigned subjects, objects;         ///< kinds of nouns; no objects: intransitive
  unsigned usage = plain;
  const char* preposition = "";  ///< what French puts before the object
};

struct Determiner {
  const char *english, *english_plural;
  std::array<const char*, 3> french;  ///< masculine, feminine, plural
};

/// English "you" is always tu and "you all" always vous; "they" is always ils: one translation a sentence.
struct Pronoun {
  const char *english, *french;
  int person;  ///< index into Verb::french
};

struct Adverb {
  const char *english, *french;
};

// clang-format off
inline constexpr Noun nouns[] = {
    {"man", "men", 'm', "homme", "hommes", adult},
    {"woman", "women", 'f', "femme", "femmes", adult},
    {"child", "children", 'm', "enfant", "enfants", child},
    {"boy", "boys", 'm', "garçon", "garçons", child},
    {"girl", "girls", 'f', "fille", "filles", child},
    {"friend", "friends", 'm', "ami", "amis", role},
    {"doctor", "doctors", 'm', "médecin", "médecins", role},
    {"teacher", "teachers", 'm', "professeur", "professeurs", role},
    {"student", "students", 'm', "étudiant", "étudiants", role},
    {"actress", "actresses", 'f', "actrice", "actrices", role},
    {"nurse", "nurses", 'f', "infirmière", "infirmières", role},
    {"animal", "animals", 'm', "animal", "animaux", animal},
    {"cat", "cats", 'm', "chat", "chats", animal},
    {"dog", "dogs", 'm', "chien", "chiens", animal},
    {"horse", "horses", 'm', "cheval", "chevaux", animal},
    {"bird", "birds", 'm', "oiseau", "oiseaux", animal},
    {"mouse", "mice", 'f', "souris", "souris", animal},
    {"owl", "owls", 'm', "hibou", "hiboux", animal},
    {"cow", "cows", 'f', "vache", "vaches", animal},
    {"wolf", "wolves", 'm', "loup", "loups", animal},
    {"tree", "trees", 'm', "arbre", "arbres", plant},
    {"flower", "flowers", 'f', "fleur", "fleurs", plant},
    {"key", "keys", 'f', "clé", "clés", thing},
    {"bag", "bags", 'm', "sac", "sacs", thing},
    {"car", "cars", 'f', "voiture", "voitures", thing},
    {"hat", "hats", 'm', "chapeau", "chapeaux", thing},
    {"shirt", "shirts", 'f', "chemise", "chemises", thing},
    {"knife", "knives", 'm', "couteau", "couteaux", thing},
    {"box", "boxes", 'f', "boîte", "boîtes", thing},
    {"clock", "clocks", 'f', "horloge", "horloges", thing},
    {"book", "books", 'm', "livre", "livres", text},
    {"letter", "letters", 'f', "lettre", "lettres", text},
    {"poem", "poems", 'm', "poème", "poèmes", text},
    {"story", "stories", 'f', "histoire", "histoires", text},
    {"apple", "apples", 'f', "pomme", "pommes", food},
    {"orange", "oranges", 'f', "orange", "oranges", food},
    {"egg", "eggs", 'm', "œuf", "œufs", food},
    {"cake", "cakes", 'm', "gâteau", "gâteaux", food},
    {"tomato", "tomatoes", 'f', "tomate", "tomates", food},
    {"house", "houses", 'f', "maison", "maisons", place},
    {"school", "schools", 'f', "école", "écoles", place},
    {"hotel", "hotels", 'm', "hôtel", "hôtels", place},
    {"garden", "gardens", 'm', "jardin", "jardins", place},
    {"church", "churches", 'f', "église", "églises", place},
    {"city", "cities", 'f', "ville", "villes", place},
};

/// The words with h aspiré: no elision, no liaison ("le hibou").
inline constexpr const char* aspirated[] = {"hibou", "hiboux"};

inline constexpr Adjective adjectives[] = {
    {"small", before, {"petit", "petite", "petits", "petites"}, "petit", anything & ~(role | text)},
    {"big", before, {"grand", "grande", "grands", "grandes"}, "grand", animal | plant | thing | place},
    {"beautiful", before, {"beau", "belle", "beaux", "belles"}, "bel", anything & ~(role | food)},
    {"old", before, {"vieux", "vieille", "vieux", "vieilles"}, "vieil", anything & ~(child | food)},
    {"new", before, {"nouveau", "nouvelle", "nouveaux", "nouvelles"}, "nouvel", anything & ~(adult | food)},
    {"good", before, {"bon", "bonne", "bons", "bonnes"}, "bon", role | animal | text | food},
    {"bad", before, {"mauvais", "mauvaise", "mauvais", "mauvaises"}, "mauvais", role | text | food},
    {"young", before, {"jeune", "jeune", "jeunes", "jeunes"}, "jeune", alive},
    {"pretty", before, {"joli", "jolie", "jolis", "jolies"}, "joli", child | animal | plant | thing | text | place},
    {"red", colour, {"rouge", "rouge", "rouges", "rouges"}, "rouge", plant | thing | place},
    {"black", colour, {"noir", "noire", "noirs", "noires"}, "noir", animal | thing},
    {"white", colour, {"blanc", "blanche", "blancs", "blanches"}, "blanc", animal | plant | thing | place},
    {"green", colour, {"vert", "verte", "verts", "vertes"}, "vert", plant | thing | place},
    {"blue", colour, {"bleu", "bleue", "bleus", "bleues"}, "bleu", plant | thing | place},
    {"expensive", after, {"cher", "chère", "chers", "chères"}, "cher", plant | thing | food | place},
    {"dirty", after, {"sale", "sale", "sales", "sales"}, "sale", animal | thing | place},
    {"strange", after, {"étrange", "étrange", "étranges", "étranges"}, "étrange", anything},
    {"famous", after, {"célèbre", "célèbre", "célèbres", "célèbres"}, "célèbre", adult | role | text | place},
    {"foreign", after, {"étranger", "étrangère", "étrangers", "étrangères"}, "étranger", person | text},
    {"happy", after, {"heureux", "heureuse", "heureux", "heureuses"}, "heureux", alive},
    {"kind", after, {"gentil", "gentille", "gentils", "gentilles"}, "gentil", alive},
    {"intelligent", after, {"intelligent", "intelligente", "intelligents", "intelligentes"}, "intelligent", alive},
};

inline constexpr Verb verbs[] = {
    {"have", "has", {"ai", "as", "a", "avons", "avez", "ont"}, person, goods, bare},
    {"see", "sees", {"vois", "vois", "voit", "voyons", "voyez", "voient"}, alive, anything},
    {"hear", "hears", {"entends", "entends", "entend", "entendons", "entendez", "entendent"}, alive, alive},
    {"love", "loves", {"aime", "aimes", "aime", "aimons", "aimez", "aiment"}, alive, anything, bare | definite},
    {"look for", "looks for", {"cherche", "cherches", "cherche", "cherchons", "cherchez", "cherchent"}, alive, anything},
    {"find", "finds", {"trouve", "trouves", "trouve", "trouvons", "trouvez", "trouvent"}, alive, anything},
    {"wait for", "waits for", {"attends", "attends", "attend", "attendons", "attendez", "attendent"}, alive, alive},
    {"call", "calls", {"appelle", "appelles", "appelle", "appelons", "appelez", "appellent"}, person, alive},
    {"talk to", "talks to", {"parle", "parles", "parle", "parlons", "parlez", "parlent"}, person, alive, definite, "à"},
    {"know", "knows", {"connais", "connais", "connaît", "connaissons", "connaissez", "connaissent"}, person, person | text | place, bare},
    {"draw", "draws", {"dessine", "dessines", "dessine", "dessinons", "dessinez", "dessinent"}, person, anything},
    {"wash", "washes", {"lave", "laves", "lave", "lavons", "lavez", "lavent"}, person, animal | thing},
    {"want", "wants", {"veux", "veux", "veut", "voulons", "voulez", "veulent"}, person, goods, bare},
    {"choose", "chooses", {"choisis", "choisis", "choisit", "choisissons", "choisissez", "choisissent"}, person, goods | place},
    {"take", "takes", {"prends", "prends", "prend", "prenons", "prenez", "prennent"}, person, thing | text | food},
    {"buy", "buys", {"achète", "achètes", "achète", "achetons", "achetez", "achètent"}, person, goods},
    {"sell", "sells", {"vends", "vends", "vend", "vendons", "vendez", "vendent"}, person, goods},
    {"eat", "eats", {"mange", "manges", "mange", "mangeons", "mangez", "mangent"}, alive, food},
    {"finish", "finishes", {"finis", "finis", "finit", "finissons", "finissez", "finissent"}, person, text | food, definite},
    {"read", "reads", {"lis", "lis", "lit", "lisons", "lisez", "lisent"}, person, text},
    {"write", "writes", {"écris", "écris", "écrit", "écrivons", "écrivez", "écrivent"}, person, text},
    {"visit", "visits", {"visite", "visites", "visite", "visitons", "visitez", "visitent"}, person, place},
    {"sleep", "sleeps", {"dors", "dors", "dort", "dormons", "dormez", "dorment"}, alive, 0},
    {"work", "works", {"travaille", "travailles", "travaille", "travaillons", "travaillez", "travaillent"}, person, 0},
    {"sing", "sings", {"chante", "chantes", "chante", "chantons", "chantez", "chantent"}, person, 0},
};

/// "some" becomes "any" for an object that is asked for or denied.
inline constexpr Determiner determiners[] = {
    {"the", "the", {"le", "la", "les"}},
    {"a", "some", {"un", "une", "des"}},
    {"this", "these", {"ce", "cette", "ces"}},
    {"my", "my", {"mon", "ma", "mes"}},
    {"your", "your", {"ton", "ta", "tes"}},
    {"his", "his", {"son", "sa", "ses"}},
    {"her", "her", {"son", "sa", "ses"}},
    {"our", "our", {"notre", "notre", "nos"}},
    {"their", "their", {"leur", "leur", "leurs"}},
};
inline constexpr const Determiner &the = determiners[0], &indefinite = determiners[1], &first_possessive = determiners[3],
                                  &your = determiners[4];

inline constexpr Pronoun pronouns[] = {
    {"I", "je", 0}, {"you", "tu", 1}, {"he", "il", 2}, {"she", "elle", 2},
    {"we", "nous", 3}, {"you all", "vous", 4}, {"they", "ils", 5},
};

inline constexpr Adverb adverbs[] = {
    {"today", "aujourd'hui"}, {"now", "maintenant"}, {"tonight", "ce soir"},
    {"every day", "tous les jours"}, {"every morning", "chaque matin"},
};
// clang-format on

}  // namespace translate::lexicon
