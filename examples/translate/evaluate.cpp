#include "examples/translate/evaluate.hpp"

#include <cstdio>

namespace translate {

Evaluation evaluate(const Translator& translator, const std::vector<Sentence>& sentences, const BeamOptions& beam,
                    const ScoreOptions& options) {
  std::vector<std::string> sources;
  References references;
  for (const Sentence& sentence : sentences) {
    sources.push_back(sentence.source);
    references.push_back(sentence.references);
  }
  Evaluation e;
  e.hypotheses = translator.translate(sources, beam);
  e.bleu = bleu(e.hypotheses, references, options);
  e.chrf = chrf(e.hypotheses, references, options);
  e.exact = exact(e.hypotheses, references, options);
  return e;
}

std::string summary(const Evaluation& e, const BeamOptions& beam) {
  char text[160];
  std::snprintf(text, sizeof text, "BLEU %.1f  chrF %.1f  exact %.1f%%  %zu sentences  beam %zu", e.bleu, e.chrf,
                e.exact, e.hypotheses.size(), beam.size);
  return text;
}

}  // namespace translate
