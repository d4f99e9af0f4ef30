package io.sirocco.spark.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sirocco.engine.Prompts;
import io.sirocco.engine.Task;
import io.sirocco.sampling.EarlyStopping;
import io.sirocco.sampling.GenerationKey;
import io.sirocco.sampling.GenerationOptions;
import io.sirocco.sampling.LengthDecay;
import io.sirocco.sampling.SequenceBias;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The keys of generating and scoring jobs. */
class GenerateConfigTest extends JobFiles {
  private static final String GENERATE =
      """
      task: generate
      model: {path: m}
      input: {path: in.jsonl, text-column: text}
      output: {path: out}
      """;

  private static final String SCORE =
      GENERATE.replace("task: generate", "task: score") + "score: {labels: [a, b]}\n";

  private static Task.Generate generate(JobConfig config) {
    return (Task.Generate) config.engineOptions().task();
  }

  @Test
  void aSettingThatIsNotThereIsLeftToTheModel() {
    Task.Generate task = generate(read(GENERATE));

    assertThat(task)
        .isEqualTo(
            new Task.Generate(
                GenerationOptions.none(),
                Prompts.plain(),
                0,
                Task.Generate.DEFAULT_SEQUENCES,
                no()));
    assertThat(generate(read(GENERATE + "generate: {temperature: null}"))).isEqualTo(task);
  }

  private static boolean no() {
    return false;
  }

  @Test
  void everyKeyOfTheDocumentedBlockIsRead() {
    JobConfig config =
        read(
            GENERATE
                + """
                generate:
                  max-new-tokens: 256
                  do-sample: false
                  temperature: 1.0
                  top-k: 50
                  top-p: 1.0
                  min-p: 0.0
                  typical-p: 1.0
                  repetition-penalty: 1.0
                  no-repeat-ngram-size: 0
                  num-beams: 1
                  length-penalty: 1.0
                  early-stopping: false
                  n: 1
                  stop: []
                  seed: 0
                  token-ids: false
                  logprobs: false
                  kv-memory: auto
                """);

    assertThat(config.generate().settings()).hasSize(15);
    assertThat(generate(config).options())
        .isEqualTo(
            GenerationOptions.none()
                .with(GenerationKey.MAX_NEW_TOKENS, 256)
                .with(GenerationKey.DO_SAMPLE, no())
                .with(GenerationKey.TEMPERATURE, 1.0)
                .with(GenerationKey.TOP_K, 50)
                .with(GenerationKey.TOP_P, 1.0)
                .with(GenerationKey.MIN_P, 0.0)
                .with(GenerationKey.TYPICAL_P, 1.0)
                .with(GenerationKey.REPETITION_PENALTY, 1.0)
                .with(GenerationKey.NO_REPEAT_NGRAM_SIZE, 0)
                .with(GenerationKey.NUM_BEAMS, 1)
                .with(GenerationKey.LENGTH_PENALTY, 1.0)
                .with(GenerationKey.EARLY_STOPPING, EarlyStopping.HEURISTIC)
                .with(GenerationKey.N, 1)
                .with(GenerationKey.STOP_STRINGS, List.of())
                .with(GenerationKey.SEED, 0L));
    assertThat(read(JobConfigWriter.toYaml(config))).isEqualTo(config);
  }

  @Test
  void everyOtherSettingIsReadToo() {
    JobConfig config =
        read(
            GENERATE
                + """
                generate:
                  max-length: 900
                  min-new-tokens: 2
                  min-length: 3
                  epsilon-cutoff: 0.01
                  eta-cutoff: 0.02
                  sequence-bias: [[[5, 6], -2.5]]
                  bad-words-ids: [[7], [8, 9]]
                  suppress-tokens: [10]
                  begin-suppress-tokens: [11, 12]
                  exponential-decay-length-penalty: [5, 1.1]
                  forced-bos-token-id: 1
                  forced-eos-token-id: 2
                  eos-token-id: [2, 13]
                  pad-token-id: 2
                  remove-invalid-values: true
                  renormalize-logits: true
                  num-return-sequences: 2
                  num-beams: 4
                  early-stopping: never
                  ignore-eos: true
                  stop: ["12", "\\n\\n", " no", "{a}: b"]
                  token-ids: true
                  logprobs: true
                  kv-memory: 4g
                batch: {max-sequences: 8}
                """);
    GenerationOptions options = generate(config).options();

    assertThat(options.get(GenerationKey.SEQUENCE_BIAS))
        .contains(List.of(new SequenceBias(List.of(5, 6), -2.5)));
    assertThat(options.get(GenerationKey.BAD_WORDS_IDS))
        .contains(List.of(List.of(7), List.of(8, 9)));
    assertThat(options.get(GenerationKey.EXPONENTIAL_DECAY_LENGTH_PENALTY))
        .contains(new LengthDecay(5, 1.1));
    assertThat(options.get(GenerationKey.EOS_TOKEN_ID)).contains(List.of(2, 13));
    assertThat(options.get(GenerationKey.EARLY_STOPPING)).contains(EarlyStopping.NEVER);
    assertThat(options.get(GenerationKey.STOP_STRINGS))
        .contains(List.of("12", "\n\n", " no", "{a}: b"));
    assertThat(config.generate().settings())
        .hasSize(21)
        .containsKeys("ignore-eos", "num-return-sequences");
    assertThat(generate(config).kvMemory()).isEqualTo(4L << 30);
    assertThat(generate(config).maxSequences()).isEqualTo(8);
    assertThat(read(JobConfigWriter.toYaml(config))).isEqualTo(config);
  }

  @Test
  void noSettingIsForgotten() {
    for (GenerationKey<?> key : GenerationKey.all()) {
      String name = key == GenerationKey.STOP_STRINGS ? "stop" : key.name().replace('_', '-');
      assertThat(read(GENERATE, "generate." + name + "=null").generate().settings()).isEmpty();
    }
  }

  @Test
  void memoryIsAutoBytesOrAUnit() {
    assertThat(read(GENERATE, "generate.kv-memory=auto").generate().kvMemory()).isZero();
    assertThat(read(GENERATE, "generate.kv-memory=4096").generate().kvMemory()).isEqualTo(4096);
    assertThat(read(GENERATE, "generate.kv-memory=512m").generate().kvMemory())
        .isEqualTo(512L << 20);
    assertThat(read(GENERATE, "generate.kv-memory=2T").generate().kvMemory()).isEqualTo(2L << 40);
    for (String tooMuch : List.of("8388608t", "16777216t", "999999999999t")) {
      assertThatThrownBy(() -> read(GENERATE, "generate.kv-memory=" + tooMuch))
          .isInstanceOf(ConfigException.class)
          .hasMessageContaining(tooMuch);
    }
  }

  @Test
  void promptsAreTextsOrChats() {
    String messages = "input: {path: in.jsonl, messages-column: messages, system-prompt: Be kind.}";
    assertThat(generate(read(GENERATE, "input.chat=true")).prompts()).isEqualTo(Prompts.chat(""));
    JobConfig chat = read(GENERATE.replaceFirst("input:.*", messages));
    assertThat(generate(chat).prompts()).isEqualTo(Prompts.chat("Be kind."));
    assertThat(read(JobConfigWriter.toYaml(chat))).isEqualTo(chat);
  }

  @Test
  void scoresHaveLabelsOfTheJobOrOfTheRows() {
    JobConfig config =
        read(SCORE, "score.labels=['1', ' yes', 'null']", "score.top-k=2", "score.logprobs=true");
    assertThat(config.engineOptions().task())
        .isEqualTo(new Task.Score(List.of("1", " yes", "null"), "", Prompts.plain()));
    assertThat(config.score().topK()).contains(2);
    assertThat(read(JobConfigWriter.toYaml(config))).isEqualTo(config);

    JobConfig own =
        read(SCORE, "score.labels=[]", "score.labels-column=choices", "score.label-prefix=' '");
    assertThat(own.score().labels()).isEmpty();
    assertThat(own.score().labelPrefix()).isEqualTo(" ");
    assertThat(read(JobConfigWriter.toYaml(own))).isEqualTo(own);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "generate.max-tokens=5 | unknown key generate.max-tokens | did you mean",
        "generate.max_new_tokens=5 | unknown key | did you mean generate.max-new-tokens?",
        "generate.stop-strings=x | unknown key generate.stop-strings | known here",
        "generate.max-new-tokens=0 | generate.max-new-tokens is 0 | an integer from 1",
        "generate.top-k=many | generate.top-k is \"many\" | an integer",
        "generate.temperature=hot | generate.temperature is \"hot\" | a number",
        "generate.do-sample=1 | generate.do-sample is 1 | true or false",
        "generate.stop=[''] | generate.stop is | non-empty strings",
        "generate.bad-words-ids=[word] | generate.bad-words-ids is | token ids",
        "generate.early-stopping=soon | generate.early-stopping is | never",
        "generate.kv-memory=0 | generate.kv-memory is '0' | auto",
        "generate.kv-memory=lots | generate.kv-memory is 'lots' | 512m or 4g",
        "generate.token-ids=5 | generate.token-ids is '5' | true or false",
        "batch.max-sequences=0 | batch.max-sequences is '0' | a whole number from 1",
        "classify.top-k=2 | classify.top-k is for task classify | task is generate",
        "score.labels=[a] | score.labels is for task score | task is generate",
        "output.logits=true | output.logits is for task classify | task is generate",
        "input.messages-column=m | exactly one of | found 2",
        "input.system-prompt=Hi | input.system-prompt goes with | chat: true",
        "task=classify | generate.seed is for task generate | task is classify"
      })
  void mistakesAreNamed(String override, String what, String help) {
    assertRefused(GENERATE + "generate: {seed: 1}\n", override, what, help);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "score.labels=[] | score needs labels | labels-column",
        "score.labels=[a, a] | score.labels is '[a, a]' | labels that differ",
        "score.labels=[1, 2] | score.labels is | a list of texts",
        "score.top-k=0 | score.top-k is '0' | a whole number",
        "task=classify | score.labels is for task score | task is classify",
        "batch.max-sequences=8 | batch.max-sequences is for task generate | task is score"
      })
  void mistakesInScoresAreNamed(String override, String what, String help) {
    assertRefused(SCORE, override, what, help);
  }

  @Test
  void chatsAreForCausalModels() {
    String classify = GENERATE.replace("task: generate", "task: classify");
    assertRefused(classify, "input.chat=true", "input.chat", "tasks generate and score only");
    assertRefused(
        GENERATE.replaceFirst("text-column: text", "tokens-column: ids"),
        "input.chat=true",
        "input.chat goes with text-column and template only");
  }
}
