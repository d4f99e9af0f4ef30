package io.sirocco.engine;

import static io.sirocco.engine.EmbedModel.options;
import static io.sirocco.engine.EmbedModel.text;
import static io.sirocco.engine.EmbedModel.tokens;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a model's folder says of embedding is heeded, unless the job says something else. */
class SentenceTransformerTest extends SentenceTransformerFolder {
  @Test
  void aFolderThatSaysNothingIsPooledByItsLastToken() throws Exception {
    assertThat(settings(EmbedModel.task()))
        .containsExactly(
            "pooling: last (default)",
            "normalize: true (default)",
            "dimensions: 192 (default)",
            "prompt: '' (default)",
            "append-eos: false (default)");
    assertThat(Engine.plan(options(folder, EmbedModel.task())).notes())
        .anyMatch(note -> note.contains("embed.append-eos: true"));
    assertThat(embedded(EmbedModel.task(), text(TICKET)))
        .isEqualTo(embedded(EmbedModel.task(), tokens(ids(TICKET))));
  }

  @Test
  void e5IsEmbeddedAsItsCardSays() throws Exception {
    e5();
    assertThat(settings(prompted(EmbedPrompt.named("query"))))
        .containsExactly(
            "pooling: last (the model's folder)",
            "normalize: true (the model's folder)",
            "dimensions: 192 (default)",
            "prompt: 'Instruct: find it\\nQuery: ' (the job)",
            "append-eos: true (the model's folder)");
    assertThat(Engine.plan(options(folder, EmbedModel.task())).notes())
        .noneMatch(note -> note.contains("end-of-sequence"))
        .anyMatch(note -> note.contains("at 512 tokens, model.max-tokens is 4096"));
    float[] document = embedded(EmbedModel.task(), tokens(ended(ids(TICKET))));
    assertThat(embedded(EmbedModel.task(), text(TICKET))).isEqualTo(document);
    float[] query =
        embedded(EmbedModel.task(), tokens(ended(ids("Instruct: find it\nQuery: " + TICKET))));
    assertThat(embedded(prompted(EmbedPrompt.named("query")), text(TICKET))).isEqualTo(query);
    assertThat(embedded(prompted(EmbedPrompt.instruction("find it")), text(TICKET)))
        .isEqualTo(query)
        .isNotEqualTo(document);
  }

  @Test
  void theJobWins() throws Exception {
    modules("Transformer", "Pooling");
    pooling("{\"pooling_mode_mean_tokens\": true}");
    write(
        "config_sentence_transformers.json",
        "{\"prompts\": {\"passage\": \"passage: \"}, \"default_prompt_name\": \"passage\"}");
    tokenizerConfig("\"add_eos_token\": true, \"eos_token\": {\"content\": \"</s>\"}");
    assertThat(settings(EmbedModel.task()))
        .containsExactly(
            "pooling: mean (the model's folder)",
            "normalize: false (the model's folder)",
            "dimensions: 192 (default)",
            "prompt: 'passage: ' (the model's folder)",
            "append-eos: true (the model's folder)");
    Task.Embed own =
        new Task.Embed(PoolingChoice.LAST, Toggle.TRUE, 64, EmbedPrompt.none(), Toggle.FALSE);
    assertThat(settings(own))
        .containsExactly(
            "pooling: last (the job)",
            "normalize: true (the job)",
            "dimensions: 64 (the job)",
            "prompt: '' (the job)",
            "append-eos: false (the job)");
    Task.Embed mean =
        new Task.Embed(PoolingChoice.MEAN, Toggle.FALSE, 0, EmbedPrompt.none(), Toggle.FALSE);
    assertThat(embedded(EmbedModel.task(), text(TICKET)))
        .isEqualTo(embedded(mean, tokens(ended(ids("passage: " + TICKET)))));
  }

  @Test
  void theNewerFormOfPoolingIsReadToo() throws Exception {
    modules("Transformer", "Pooling");
    pooling("{\"embedding_dimension\": 192, \"pooling_mode\": \"lasttoken\"}");
    assertThat(settings(EmbedModel.task())).contains("pooling: last (the model's folder)");
  }

  @Test
  void modulesMayHaveTheirPlaceInAnyReleaseOfTheLibrary() throws Exception {
    pooling("{\"pooling_mode\": \"lasttoken\"}");
    for (String normalize : List.of("base", "sentence_transformer")) {
      typed(
          "sentence_transformers.base.modules.transformer.Transformer",
          "sentence_transformers.sentence_transformer.modules.pooling.Pooling",
          "sentence_transformers.%s.modules.normalize.Normalize".formatted(normalize));
      assertThat(settings(EmbedModel.task()))
          .contains("pooling: last (the model's folder)", "normalize: true (the model's folder)");
    }
  }

  /** As the library has it: a flag that is not there, or false like all others, is the mean's. */
  @Test
  void withoutAnyFlagTheMeanIsTaken() throws Exception {
    modules("Transformer", "Pooling");
    for (String json :
        List.of("{}", "{\"pooling_mode_mean_tokens\": false}", "{\"include_prompt\": true}")) {
      pooling(json);
      assertThat(settings(EmbedModel.task())).contains("pooling: mean (the model's folder)");
    }
  }

  @Test
  void notesSayWhatHasNoEffectAndNothingOfOtherPoolings() {
    Reuse number = new Reuse(0, new Beginning.Tokens(64));
    Task.Embed mean = EmbedModel.task(PoolingChoice.MEAN);
    assertThat(Engine.plan(options(folder, mean).withReuse(number)).notes())
        .anyMatch(note -> note.contains("batch.shared-prefix has no effect"))
        .noneMatch(note -> note.contains("append-eos"));
    Task.Embed last = EmbedModel.task(PoolingChoice.LAST);
    assertThat(Engine.plan(options(folder, last).withReuse(number)).notes())
        .noneMatch(note -> note.contains("no effect"));
  }

  @Test
  void codeOfTheFolderIsNotedAndNotExecuted() throws Exception {
    String config = Files.readString(folder.resolve("config.json"));
    write(
        "config.json",
        config.replaceFirst("\\{", "{\"auto_map\": {\"AutoModel\": \"modeling.Own\"},"));
    assertThat(Engine.plan(options(folder, EmbedModel.task())).notes())
        .anyMatch(note -> note.contains("auto_map"));
    assertThat(Inspection.of(folder).notes()).anyMatch(note -> note.contains("auto_map"));
  }

  @Test
  void theFilesArePartOfTheFingerprint() throws Exception {
    String before = Engine.plan(options(folder, EmbedModel.task())).fingerprint();
    // Without modules.json nobody reads it, and a job far from the folder does not fetch it.
    pooling("{}");
    assertThat(Engine.plan(options(folder, EmbedModel.task())).fingerprint()).isEqualTo(before);
    e5();
    String e5 = Engine.plan(options(folder, EmbedModel.task())).fingerprint();
    pooling("{\"pooling_mode_mean_tokens\": true}");
    String mean = Engine.plan(options(folder, EmbedModel.task())).fingerprint();
    assertThat(List.of(before, e5, mean)).doesNotHaveDuplicates();
  }
}
