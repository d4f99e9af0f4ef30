package io.sirocco.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Weights that PyTorch has pickled: what they hold, and what is refused. */
class TorchFileTest {
  @TempDir Path folder;

  private Checkpoint open(TorchSave file) throws IOException {
    Files.writeString(folder.resolve("config.json"), "{}");
    file.write(folder.resolve("pytorch_model.bin"));
    return Checkpoint.open(folder);
  }

  private void refused(TorchSave file, String... words) {
    assertThatExceptionOfType(ModelException.class)
        .isThrownBy(() -> open(file))
        .satisfies(e -> assertThat(e.getMessage()).contains("pytorch_model.bin").contains(words));
  }

  private static int[] ints(int... values) {
    return values;
  }

  private static float[] values(Tensor tensor) {
    float[] all = new float[tensor.rows() * tensor.columns()];
    float[] row = new float[tensor.columns()];
    for (int i = 0; i < tensor.rows(); i++) {
      tensor.readRow(i, row);
      System.arraycopy(row, 0, all, i * row.length, row.length);
    }
    return all;
  }

  private static TorchSave sample() {
    TorchSave file = new TorchSave();
    String shared = file.storage(0, 1, 2, 3, 4, 5, 6, 7);
    String own = file.storage(8, 9);
    return file.with("plain", shared, 0, ints(2, 3), ints(3, 1))
        .with("later", shared, 4, ints(2, 2), ints(2, 1))
        .with("transposed", shared, 1, ints(2, 3), ints(1, 2))
        .with("gaps", shared, 1, ints(3), ints(2))
        .with("norm.weight", own, 0, ints(2), ints(1));
  }

  @Test
  void viewsOfStoragesComeInOrder() throws IOException {
    Checkpoint checkpoint = open(sample());

    assertThat(checkpoint.names())
        .containsExactlyInAnyOrder("plain", "later", "transposed", "gaps", "model.norm.weight");
    assertThat(values(checkpoint.require("plain", 2, 3))).containsExactly(0, 1, 2, 3, 4, 5);
    assertThat(values(checkpoint.require("later", 2, 2))).containsExactly(4, 5, 6, 7);
    assertThat(values(checkpoint.require("transposed", 2, 3))).containsExactly(1, 3, 5, 2, 4, 6);
    assertThat(values(checkpoint.require("gaps", 3))).containsExactly(1, 3, 5);
    assertThat(values(checkpoint.require("model.norm.weight", 2))).containsExactly(8, 9);
    assertThat(checkpoint.files()).endsWith("pytorch_model.bin");
    assertThat(checkpoint.fingerprint()).isEqualTo(open(sample()).fingerprint());
  }

  /** What a name is must not grow by being put together of itself. */
  @Test
  void namesAndInstructionsHaveLimits() {
    String text = "X\0\2\0\0" + "a".repeat(512);
    refused(new TorchSave().withPickled("a", text + "2\u0093"), "a name of more than 256");
    refused(new TorchSave().withPickled("a", "N0".repeat(1_100_000)), "2000000 instructions");
  }

  @Test
  void safetensorsGoFirst() throws IOException {
    open(sample());
    new SafetensorsFile()
        .with("lm_head.weight", ElementType.F32, new float[] {1}, 1)
        .write(folder.resolve("model.safetensors"));

    assertThat(Checkpoint.open(folder).names()).containsExactly("lm_head.weight");
  }

  @Test
  void shardsAreFoundByTheirIndex() throws IOException {
    Files.writeString(folder.resolve("config.json"), "{}");
    Files.writeString(
        folder.resolve("pytorch_model.bin.index.json"),
        "{\"weight_map\": {\"plain\": \"a.bin\", \"gaps\": \"b.bin\"}}");
    sample().write(folder.resolve("a.bin"));
    sample().write(folder.resolve("b.bin"));
    Checkpoint checkpoint = Checkpoint.open(folder);

    assertThat(checkpoint.names()).containsExactlyInAnyOrder("plain", "gaps");
    assertThat(values(checkpoint.require("gaps", 3))).containsExactly(1, 3, 5);
    assertThat(checkpoint.files()).endsWith("pytorch_model.bin.index.json");
  }

  /** As ISO 8859-1: what follows the name of an entry. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "cposix\\nsystem\\nX\\4\\0\\0\\0true\\x85R | a call of posix.system",
        "cbuiltins\\neval\\nX\\1\\0\\0\\0a\\x85R | a call of builtins.eval",
        "X\\1\\0\\0\\0ocollections\\nOrderedDict\\nR | a call of o",
        "ccollections\\nOrderedDict\\n)R | 'evil' is a dictionary",
        "K\\5 | 'evil' is 5",
        "cposix\\nsystem\\n | 'evil' is Global[name=posix.system]",
        "i | instruction 0x69",
        "o | instruction 0x6f",
        "\\x92 | instruction 0x92",
        "P1\\n | instruction 0x50",
        "h\\7 | value 7 was never remembered",
        "X\\xff\\xff\\xff\\x7f | a text of 2147483647 bytes",
        "X\\xff\\xff\\xff\\xff | a text of -1 bytes",
        "}K\\1K\\2s | a dictionary's key is 1",
        "]K\\1b | a state for",
        "\\x8a\\x09 | an integer of 9 bytes",
        "X\\1\\0\\0\\0a2\\x932\\x93 | a name is made of something other than two texts",
      })
  void whatIsNoTensorIsRefusedByNameAndPlace(String escaped, String problem) {
    TorchSave file = new TorchSave().withPickled("evil", unescaped(escaped));

    refused(file, "data.pkl, byte ", problem, "nothing in it was executed");
  }

  /** Backslashes: newline, a digit, or two hexadecimal ones behind x. */
  private static String unescaped(String text) {
    StringBuilder plain = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) != '\\') {
        plain.append(text.charAt(i));
      } else if (text.charAt(i + 1) == 'n') {
        plain.append('\n');
        i++;
      } else if (text.charAt(i + 1) == 'x') {
        plain.append((char) Integer.parseInt(text.substring(i + 2, i + 4), 16));
        i += 3;
      } else {
        plain.append((char) (text.charAt(i + 1) - '0'));
        i++;
      }
    }
    return plain.toString();
  }

  @Test
  void viewsBeyondTheirStorageAreRefused() {
    TorchSave beyond = new TorchSave();
    refused(
        beyond.with("a", beyond.storage(1, 2, 3), 2, ints(2), ints(1)), "tensor a", "storage of 3");
    TorchSave repeated = new TorchSave();
    // A tiny file must not become a large tensor.
    refused(
        repeated.with("a", repeated.storage(1), 0, ints(1 << 20, 1 << 20), ints(0, 0)),
        "more elements than the storage has");
    TorchSave negative = new TorchSave();
    refused(negative.with("a", negative.storage(1, 2), 1, ints(2), ints(-1)), "below 0");
    TorchSave empty = new TorchSave();
    refused(empty.with("a", empty.storage(1), 7, ints(0), ints(1)), "offset 7");
    TorchSave deep = new TorchSave();
    refused(deep.with("a", deep.storage(1), 0, new int[9], new int[9]), "9 dimensions");
    TorchSave other = new TorchSave();
    refused(other.with("a", other.storage(1, 2), 0, ints(2), ints(1, 1)), "other dimensions");
    TorchSave absent = new TorchSave();
    refused(absent.with("a", "7", 0, ints(1), ints(1)), "storage '7', which the archive lacks");
    TorchSave larger = new TorchSave();
    refused(
        larger.with("a", "torch\nFloatStorage\n", larger.storage(1, 2), 9, 0, ints(1), ints(1)),
        "9 elements by the pickle, and of 8 bytes");
    TorchSave quantised = new TorchSave();
    refused(
        quantised.with("a", "torch\nQInt8Storage\n", quantised.storage(1), 4, 0, ints(1), ints(1)),
        "torch.QInt8Storage");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "PK", "cposix\nsystem\n(S'true'\ntR.", "\u0080\u0002}."})
  void whatIsNoArchiveIsRefused(String text) throws IOException {
    Files.writeString(folder.resolve("config.json"), "{}");
    Files.writeString(folder.resolve("pytorch_model.bin"), text);

    assertThatExceptionOfType(ModelException.class)
        .isThrownBy(() -> Checkpoint.open(folder))
        .withMessageContaining("is not a zip archive")
        .withMessageContaining("nothing in it was executed");
  }

  @Test
  void damagedFilesLoadOrAreRefused() throws Exception {
    Files.writeString(folder.resolve("config.json"), "{}");
    Path file = folder.resolve("pytorch_model.bin");
    new MutationTrials("pytorch_model.bin", 5000, 1 << 20, 100)
        .run(
            file,
            sample().bytes(),
            MutationTrials::ofPickled,
            () -> {
              Checkpoint checkpoint = Checkpoint.open(folder);
              long bytes = 0;
              for (String name : checkpoint.names()) {
                bytes += 4L * values(checkpoint.find(name).orElseThrow()).length;
              }
              assertThat(bytes).isLessThan(5 * Files.size(file));
              assertThat(checkpoint.fingerprint()).isNotBlank();
            });
  }
}
