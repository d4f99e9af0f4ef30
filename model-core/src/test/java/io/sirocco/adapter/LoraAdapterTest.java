package io.sirocco.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.sirocco.checkpoint.ElementType;
import io.sirocco.checkpoint.ModelException;
import io.sirocco.checkpoint.Mutations;
import io.sirocco.model.AdapterWeights;
import io.sirocco.model.MistralConfig;
import io.sirocco.model.Projection;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Folders of adapters: what is read, and what is refused by its name. */
class LoraAdapterTest {
  private static final long SEED = 20261127;
  private static final int MUTATIONS = 3000;
  private static final Set<Projection> QUERY_AND_VALUE =
      EnumSet.of(Projection.QUERY, Projection.VALUE);
  private static final Set<Projection> ALL = EnumSet.allOf(Projection.class);
  private static final MistralConfig MODEL = config(2);

  @TempDir Path folder;

  private static MistralConfig config(int layers) {
    String json =
        """
        {"model_type": "mistral", "hidden_size": 8, "intermediate_size": 6,
         "num_hidden_layers": %d, "num_attention_heads": 2, "num_key_value_heads": 1,
         "head_dim": 6, "vocab_size": 5, "id2label": {"0": "a", "1": "b", "2": "c"}}
        """;
    try {
      return MistralConfig.parse(new ObjectMapper().readTree(json.formatted(layers)), "test");
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static TestAdapter adapter() {
    return new TestAdapter(MODEL, SEED);
  }

  private AdapterWeights read(TestAdapter adapter) {
    return LoraAdapter.open(adapter.write(folder)).weights(MODEL);
  }

  private static Set<String> modules(AdapterWeights weights) {
    Set<String> modules = new TreeSet<>();
    for (int layer = 0; layer < weights.layers().size(); layer++) {
      for (Projection projection : weights.layers().get(layer).keySet()) {
        modules.add(layer + "." + projection.module());
      }
    }
    return modules;
  }

  @Test
  void aListNamesEndsOfModules() {
    AdapterWeights weights = read(adapter().on(QUERY_AND_VALUE));
    assertThat(modules(weights))
        .containsExactly(
            "0.self_attn.q_proj", "0.self_attn.v_proj", "1.self_attn.q_proj", "1.self_attn.v_proj");
    AdapterWeights.Branch branch = weights.layers().get(1).get(Projection.VALUE);
    assertThat(branch.a().shape()).containsExactly(4L, 8L);
    assertThat(branch.b().shape()).containsExactly(6L, 4L);
    assertThat(branch.scaling()).isEqualTo(2f);
    assertThat(weights.score()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[\"layers.0.self_attn.q_proj\", \"1.mlp.up_proj\"]",
        "[\"model.layers.0.self_attn.q_proj\", \"model.layers.1.mlp.up_proj\"]",
        "\".*(0.self_attn.q|1.mlp.up)_proj\"",
        "\"model\\\\.layers\\\\.(0\\\\.self_attn\\\\.q|1\\\\.mlp\\\\.up)_proj\""
      })
  void targetsAreTakenAsPeftTakesThem(String targets) {
    TestAdapter adapter =
        adapter()
            .branch(0, Projection.QUERY, 4, 1)
            .branch(1, Projection.UP, 4, 1)
            .put("target_modules", targets);
    assertThat(modules(read(adapter))).containsExactly("0.self_attn.q_proj", "1.mlp.up_proj");
  }

  @Test
  void allLinearAreAllSeven() {
    TestAdapter adapter = adapter().on(ALL).put("target_modules", "\"all-linear\"");
    assertThat(modules(read(adapter))).hasSize(14);
  }

  /** PEFT leaves them out where modules_to_save has them, or the model has none. */
  @Test
  void headsAmongTheTargetsHaveNoBranchIfTheFileHasNone() {
    TestAdapter named =
        adapter()
            .on(QUERY_AND_VALUE)
            .score()
            .put("target_modules", "[\"q_proj\", \"v_proj\", \"score\", \"lm_head\"]");
    AdapterWeights weights = read(named);
    assertThat(modules(weights)).hasSize(4);
    assertThat(weights.score()).isPresent();
    assertThat(modules(read(adapter().on(ALL).put("target_modules", "\".*\"")))).hasSize(14);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"true", "false", "null", "\"gaussian\"", "\"eva\"", "\"orthogonal\"", "\"EVA\""})
  void startsThatLeaveTheModelsWeightsAreRead(String start) {
    TestAdapter started = adapter().on(QUERY_AND_VALUE).put("init_lora_weights", start);
    assertThat(modules(read(started))).hasSize(4);
  }

  @Test
  void someModulesAndLayersCanBeLeftOut() {
    TestAdapter excluding =
        adapter()
            .branch(0, Projection.QUERY, 4, 1)
            .branch(1, Projection.QUERY, 4, 1)
            .put("target_modules", "[\"q_proj\", \"v_proj\"]")
            .put("exclude_modules", "\".*v_proj\"");
    assertThat(modules(read(excluding)))
        .containsExactly("0.self_attn.q_proj", "1.self_attn.q_proj");
    for (String layers : List.of("[1]", "1")) {
      TestAdapter one =
          adapter()
              .branch(1, Projection.QUERY, 4, 1)
              .put("target_modules", "[\"q_proj\"]")
              .put("layers_to_transform", layers)
              .put("layers_pattern", "\"layers\"");
      assertThat(modules(read(one))).containsExactly("1.self_attn.q_proj");
    }
  }

  /** The first pattern that matches, in the file's order, of the name or of what follows a dot. */
  @Test
  void ranksAndAlphasGoByPatterns() {
    TestAdapter adapter =
        adapter()
            .branch(0, Projection.QUERY, 2, 1)
            .branch(1, Projection.QUERY, 3, 1)
            .branch(0, Projection.VALUE, 4, 1)
            .branch(1, Projection.VALUE, 9, 1)
            .put("target_modules", "[\"q_proj\", \"v_proj\"]")
            .put(
                "rank_pattern",
                "{\"layers.0.self_attn.q_proj\": 2, \".*q_proj\": 3, \"proj\": 7,"
                    + " \"1.self_attn.v_proj\": 9}")
            .put("alpha_pattern", "{\"v_proj\": 3, \"layers.1.self_attn.v_proj\": 5}");
    List<Map<Projection, AdapterWeights.Branch>> layers = read(adapter).layers();
    assertThat(layers.get(0).get(Projection.QUERY).scaling()).isEqualTo(8f / 2);
    assertThat(layers.get(1).get(Projection.QUERY).scaling()).isEqualTo(8f / 3);
    assertThat(layers.get(0).get(Projection.VALUE).scaling()).isEqualTo(3f / 4);
    assertThat(layers.get(1).get(Projection.VALUE).scaling()).isEqualTo(3f / 9);
    AdapterWeights rslora = read(adapter.put("use_rslora", "true"));
    assertThat(rslora.layers().get(1).get(Projection.VALUE).scaling()).isCloseTo(1f, within(1e-6f));
    assertThat(rslora.rank()).isEqualTo(9);
  }

  @Test
  void namesMayHaveTheAdaptersNameOrLackThePrefix() {
    TestAdapter named =
        adapter()
            .on(QUERY_AND_VALUE)
            .score()
            .renamed("lora_A.", "lora_A.default.")
            .renamed("score.", "score.modules_to_save.default.")
            .tensor("base_model.model.score.original_module.weight", 3, 8, 1);
    assertThat(read(named).score()).isPresent();
    assertThat(modules(read(adapter().bare().on(QUERY_AND_VALUE)))).hasSize(4);
  }

  @Test
  void picklesAreReadAsData() throws IOException {
    adapter().as(ElementType.BF16).on(ALL).score().writePickled(folder);
    LoraAdapter adapter = LoraAdapter.open(folder);
    AdapterWeights weights = adapter.weights(MODEL);
    assertThat(modules(weights)).hasSize(14);
    assertThat(weights.score()).isPresent();
    assertThat(weights.layers().get(0).get(Projection.UP).a().type()).isEqualTo(ElementType.BF16);
    assertThat(adapter.bytesByType()).containsOnlyKeys("BF16");
    assertThat(adapter.description())
        .isEqualTo(
            "LoRA of rank 4, alpha 8, on q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj,"
                + " down_proj of 2 layers, with a classifier's head");
  }

  @Test
  void fingerprintsTellAdaptersApart() {
    String one = LoraAdapter.open(adapter().on(ALL).write(folder)).fingerprint();
    assertThat(LoraAdapter.open(adapter().on(ALL).write(folder)).fingerprint()).isEqualTo(one);
    Path other = new TestAdapter(MODEL, SEED + 1).on(ALL).write(folder.resolve("other"));
    assertThat(LoraAdapter.open(other).fingerprint()).isNotEqualTo(one);
    Path scaled = adapter().on(ALL).put("lora_alpha", "9").write(folder.resolve("scaled"));
    assertThat(LoraAdapter.open(scaled).fingerprint()).isNotEqualTo(one);
  }

  static Stream<Arguments> refused() {
    return Stream.of(
        config("use_dora", "true", "use_dora is set: DoRA"),
        config("bias", "\"all\"", "bias is all, expected none"),
        config("bias", "\"lora_only\"", "bias is lora_only"),
        config("lora_bias", "true", "lora_bias is set"),
        config("layer_replication", "[[0, 1], [0, 1]]", "layer_replication is set"),
        config("target_parameters", "[\"x\"]", "target_parameters is set"),
        config("trainable_token_indices", "[3]", "trainable_token_indices is set"),
        config("use_qalora", "true", "use_qalora is set"),
        config("use_something", "true", "use_something is set, which is not known"),
        config("init_lora_weights", "\"pissa_niter_4\"", "init_lora_weights is \"pissa_niter_4\""),
        config("init_lora_weights", "\"loftq\"", "init_lora_weights is \"loftq\""),
        config("init_lora_weights", "\"new\"", "init_lora_weights is \"new\", expected true"),
        config("init_lora_weights", "[1]", "init_lora_weights is [1]"),
        config("peft_type", "\"IA3\"", "peft_type is IA3, expected LORA"),
        config("peft_type", "null", "peft_type is missing"),
        config("modules_to_save", "[\"embed_tokens\"]", "modules_to_save has embed_tokens"),
        config("modules_to_save", "[\"lm_head\"]", "modules_to_save has lm_head"),
        config("modules_to_save", "[\"score\"]", "lacks the classifier's weight"),
        config("task_type", "\"SEQ_CLS\"", "lacks the classifier's weight"),
        config("target_modules", "\".*\"", "has no tensors of"),
        config("target_modules", "[\"q_proj\"]", "v_proj: has tensors, but is not among"),
        config("target_modules", "[\"q_proj\", \"v_proj\", \"k_proj\"]", "has no tensors of"),
        config("target_modules", "[3]", "target_modules is [3], expected a list"),
        config("target_modules", "\"(\"", "target_modules: the pattern ( lacks a )"),
        config("layers_to_transform", "[0]", "has tensors, but is not among"),
        config("layers_to_transform", "[\"x\"]", "layers_to_transform is"),
        config("layers_pattern", "\"h\"", "layers_pattern is \"h\""),
        config("r", "8", "adapter_config.json implies rank 8"),
        config("r", "0", "r is 0, expected an integer"),
        config("lora_alpha", "\"x\"", "lora_alpha is \"x\""),
        config("rank_pattern", "{\"q_proj\": 3}", "implies rank 3"),
        config("rank_pattern", "{\"q_proj\": \"x\"}", "rank_pattern: q_proj is \"x\""),
        tensors(a -> a.tensor("base_model.model.model.x.weight", 2, 2, 1), "is not known"),
        tensors(a -> a.tensor("model.layers.0.x.weight", 2, 2, 1), "is not an adapter's"),
        tensors(
            a -> a.tensor("base_model.model.model.embed_tokens.weight", 5, 8, 1),
            "is of the embeddings"),
        tensors(
            a -> a.tensor("base_model.model.model.embed_tokens.lora_embedding_A", 4, 5, 1),
            "is of the embeddings"),
        tensors(a -> a.tensor("base_model.model.lm_head.weight", 5, 8, 1), "is of lm_head"),
        tensors(a -> a.tensor("base_model.model.lm_head.lora_A.weight", 4, 8, 1), "is of lm_head"),
        tensors(
            a -> a.tensor("base_model.model.score.lora_A.weight", 4, 8, 1),
            "is a branch of the classifier's head"),
        tensors(
            a ->
                a.tensor(
                    "base_model.model.model.layers.0.self_attn.q_proj.lora_magnitude_vector",
                    1,
                    2,
                    1),
            "is DoRA's"),
        tensors(
            a -> a.tensor("base_model.model.model.layers.0.self_attn.q_proj.lora_B.bias", 1, 2, 1),
            "is a bias"),
        tensors(
            a -> a.tensor("base_model.model.model.layers.0.mlp.x_proj.lora_A.weight", 4, 8, 1),
            "is of a module that no Mistral has"),
        tensors(
            a -> a.tensor("base_model.model.layers.0.mlp.up_proj.lora_A.weight", 4, 8, 1),
            "does not begin as the others do"),
        tensors(
            a ->
                a.tensor(
                    "base_model.model.model.layers.0.self_attn.q_proj.lora_A.default.weight",
                    4,
                    8,
                    1),
            "is there twice"),
        tensors(a -> a.tensor("base_model.model.score.weight", 3, 8, 1), "does not have score"),
        tensors(
            a -> a.without("base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight"),
            "has lora_A without its counterpart"),
        tensors(a -> a.branch(2, Projection.QUERY, 4, 1), "layer 2, but the model has 2 layers"),
        tensors(
            a ->
                a.tensor("base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight", 4, 9, 1),
            "has shape [4, 9], the model's config.json implies [4, 8]"),
        tensors(
            a ->
                a.tensor(
                    "base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight", 11, 4, 1),
            "has shape [11, 4], the model's config.json implies [12, 4]"),
        tensors(
            a -> a.score().tensor("base_model.model.score.weight", 4, 8, 1),
            "set id2label there to the labels"));
  }

  private static Arguments config(String key, String value, String message) {
    UnaryOperator<TestAdapter> change = adapter -> adapter.put(key, value);
    return arguments(key + ": " + value, change, message);
  }

  private static Arguments tensors(UnaryOperator<TestAdapter> change, String message) {
    return arguments("tensors", change, message);
  }

  @ParameterizedTest(name = "{0}: {2}")
  @MethodSource("refused")
  void whatIsNotComputedIsRefusedByName(
      String what, UnaryOperator<TestAdapter> change, String message) {
    TestAdapter adapter = change.apply(adapter().on(QUERY_AND_VALUE));
    assertThatThrownBy(() -> read(adapter))
        .as(what)
        .isInstanceOf(ModelException.class)
        .hasMessageContaining(message);
  }

  @Test
  void foldersThatHoldNoAdapterAreRefused() throws IOException {
    assertThatThrownBy(() -> LoraAdapter.open(folder)).hasMessageContaining("adapter_config.json");
    adapter().on(ALL).write(folder);
    Files.delete(folder.resolve("adapter_model.safetensors"));
    assertThatThrownBy(() -> LoraAdapter.open(folder))
        .hasMessageContaining("expected one of adapter_model.safetensors, adapter_model.bin");
  }

  @ParameterizedTest
  @ValueSource(strings = {"adapter_config.json", "adapter_model.safetensors", "adapter_model.bin"})
  void damagedFilesAreRefusedOrRead(String file) throws IOException {
    TestAdapter whole =
        adapter()
            .on(QUERY_AND_VALUE)
            .score()
            .put("target_modules", "\".*\\\\.(q|v)_proj\"")
            .put("rank_pattern", "{\"q_proj\": 4}")
            .put("alpha_pattern", "{\"layers.0.self_attn.v_proj\": 3}")
            .put("layers_to_transform", "[0, 1]")
            .put("use_dora", "false")
            .put("exclude_modules", "[\"k_proj\"]");
    if (file.endsWith(".bin")) {
      whole.writePickled(folder);
    } else {
      whole.write(folder);
    }
    byte[] original = Files.readAllBytes(folder.resolve(file));
    Mutations mutations = new Mutations(SEED);
    int read = 0;
    for (int i = 0; i < MUTATIONS; i++) {
      Files.write(folder.resolve(file), mutations.of(original));
      Instant start = Instant.now();
      try {
        assertThat(LoraAdapter.open(folder).weights(MODEL).layers()).hasSize(2);
        read++;
      } catch (ModelException e) {
        assertThat(e).hasMessageContaining("adapter_");
      }
      assertThat(Duration.between(start, Instant.now())).isLessThan(Duration.ofSeconds(5));
      if (i % 1000 == 999) {
        System.gc(); // Mappings of the process are limited, and go with what is collected.
      }
    }
    System.out.printf("%s: %d of %d damaged ones could be read%n", file, read, MUTATIONS);
    assertThat(read).isBetween(1, MUTATIONS - 1);
  }
}
