package io.sirocco.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sirocco.checkpoint.TorchSave;
import io.sirocco.kernel.BFloat16;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A release of real layer sizes, in a process of its own with a heap of 1 GiB, beside what copying
 * the same bytes takes; on request, as it writes gigabytes: {@code -Dsirocco.large=6} makes six
 * layers of the 7B, which are 3.1 GB.
 */
class LargeConversionTest {
  private static final int LAYERS = Integer.getInteger("sirocco.large", 0);
  private static final String HEAP = "-Xmx1g";
  private static final int HIDDEN = 4096;
  private static final int FEED_FORWARD = 14336;
  private static final int VOCABULARY = 32000;
  private static final int KEYS = 1024;

  @TempDir private Path temporary;

  private static Map<String, int[]> shapes() {
    Map<String, int[]> shapes = new LinkedHashMap<>();
    shapes.put("tok_embeddings.weight", new int[] {VOCABULARY, HIDDEN});
    for (int layer = 0; layer < LAYERS; layer++) {
      String prefix = "layers." + layer + ".";
      shapes.put(prefix + "attention.wq.weight", new int[] {HIDDEN, HIDDEN});
      shapes.put(prefix + "attention.wk.weight", new int[] {KEYS, HIDDEN});
      shapes.put(prefix + "attention.wv.weight", new int[] {KEYS, HIDDEN});
      shapes.put(prefix + "attention.wo.weight", new int[] {HIDDEN, HIDDEN});
      shapes.put(prefix + "feed_forward.w1.weight", new int[] {FEED_FORWARD, HIDDEN});
      shapes.put(prefix + "feed_forward.w2.weight", new int[] {HIDDEN, FEED_FORWARD});
      shapes.put(prefix + "feed_forward.w3.weight", new int[] {FEED_FORWARD, HIDDEN});
      shapes.put(prefix + "attention_norm.weight", new int[] {HIDDEN});
      shapes.put(prefix + "ffn_norm.weight", new int[] {HIDDEN});
    }
    shapes.put("norm.weight", new int[] {HIDDEN});
    shapes.put("output.weight", new int[] {VOCABULARY, HIDDEN});
    return shapes;
  }

  private Path params() throws IOException {
    Path folder = Files.createDirectories(temporary.resolve("raw"));
    ObjectNode params = new ObjectMapper().createObjectNode();
    params.put("dim", HIDDEN).put("n_layers", LAYERS).put("head_dim", 128);
    params.put("hidden_dim", FEED_FORWARD).put("n_heads", 32).put("n_kv_heads", 8);
    params.put("norm_eps", 1e-5).put("vocab_size", VOCABULARY).put("rope_theta", 1e6);
    Files.writeString(folder.resolve("params.json"), params.toString());
    return folder;
  }

  /** Random bfloat16: a block, again and again, which a disk that compresses would not notice. */
  private static ByteBuffer block() {
    ByteBuffer block = ByteBuffer.allocateDirect(HIDDEN * 2).order(ByteOrder.LITTLE_ENDIAN);
    SplittableRandom random = new SplittableRandom(1);
    while (block.hasRemaining()) {
      block.putShort(BFloat16.fromFloat((float) (random.nextDouble() - 0.5)));
    }
    return block.flip();
  }

  private static long bytes(int[] shape) {
    return 2L * shape[0] * (shape.length == 1 ? 1 : shape[1]);
  }

  private static Path safetensors(Path folder) throws IOException {
    ObjectNode header = new ObjectMapper().createObjectNode();
    long offset = 0;
    for (Map.Entry<String, int[]> entry : shapes().entrySet()) {
      ObjectNode tensor = header.putObject(entry.getKey()).put("dtype", "BF16");
      tensor.set("shape", new ObjectMapper().valueToTree(entry.getValue()));
      tensor.putArray("data_offsets").add(offset).add(offset + bytes(entry.getValue()));
      offset += bytes(entry.getValue());
    }
    byte[] text = header.toString().getBytes(StandardCharsets.UTF_8);
    Path file = folder.resolve("consolidated.safetensors");
    try (FileChannel out =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      out.write(
          ByteBuffer.allocate(Long.BYTES)
              .order(ByteOrder.LITTLE_ENDIAN)
              .putLong(text.length)
              .flip());
      out.write(ByteBuffer.wrap(text));
      ByteBuffer block = block();
      for (long left = offset; left > 0; left -= block.capacity()) {
        out.write(block.clear().limit((int) Math.min(left, block.capacity())));
      }
      out.force(true);
    }
    return file;
  }

  private static Path pickle(Path folder) throws IOException {
    TorchSave pickle = new TorchSave();
    int number = 0;
    for (Map.Entry<String, int[]> entry : shapes().entrySet()) {
      pickle.withStorageElsewhere(entry.getKey(), "BFloat16", number++, entry.getValue());
    }
    Path file = folder.resolve("consolidated.00.pth");
    byte[] block = new byte[block().remaining()];
    block().get(block);
    try (OutputStream out = Files.newOutputStream(file);
        ZipOutputStream zip = new ZipOutputStream(out)) {
      byte[] program = pickle.pickle();
      add(zip, "data.pkl", program, 1);
      int key = 0;
      for (int[] shape : shapes().values()) {
        add(zip, "data/" + key++, block, Math.toIntExact(bytes(shape) / block.length));
      }
    }
    return file;
  }

  private static void add(ZipOutputStream zip, String name, byte[] block, int times)
      throws IOException {
    ZipEntry entry = new ZipEntry("consolidated/" + name);
    CRC32 crc = new CRC32();
    for (int i = 0; i < times; i++) {
      crc.update(block);
    }
    entry.setMethod(ZipEntry.STORED);
    entry.setSize((long) block.length * times);
    entry.setCrc(crc.getValue());
    zip.putNextEntry(entry);
    for (int i = 0; i < times; i++) {
      zip.write(block);
    }
    zip.closeEntry();
  }

  @ParameterizedTest
  @ValueSource(strings = {"safetensors", "pth"})
  void aReleaseLargerThanTheHeap(String form) throws IOException, InterruptedException {
    assumeTrue(LAYERS > 0, "-Dsirocco.large is not set: no large release is converted");
    Path raw = params();
    Path file = form.equals("pth") ? pickle(raw) : safetensors(raw);
    long bytes = Files.size(file);
    double copying =
        seconds(
            "sh", "-c", "cp '%s' '%s.copy' && sync -f '%s.copy'".replace("%s", file.toString()));
    Files.delete(Path.of(file + ".copy"));
    double converting =
        seconds(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            HEAP,
            "-cp",
            System.getProperty("java.class.path"),
            Run.class.getName(),
            raw.toString(),
            temporary.resolve("converted").toString());
    System.out.printf(
        "LargeConversionTest: %s of %.2f GB with %s: %.0f MB/s; cp and sync: %.0f MB/s%n",
        form, bytes / 1e9, HEAP, bytes / converting / 1e6, bytes / copying / 1e6);
    assertThat(temporary.resolve("converted").resolve("config.json")).exists();
  }

  private double seconds(String... command) throws IOException, InterruptedException {
    long start = System.nanoTime();
    // Not this process's own output, which speaks to the build.
    Path output = temporary.resolve("output");
    Process process =
        new ProcessBuilder(List.of(command))
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    assertThat(process.waitFor(10, TimeUnit.MINUTES)).isTrue();
    double seconds = (System.nanoTime() - start) * 1e-9;
    String printed = Files.readString(output);
    System.out.print(printed);
    assertThat(process.exitValue()).as(printed).isZero();
    return seconds;
  }

  /** Converts, and says what memory it took. */
  static final class Run {
    private Run() {}

    public static void main(String[] arguments) throws IOException {
      Conversion.run(
          ConversionOptions.of(Path.of(arguments[0]), Path.of(arguments[1])),
          ConversionListener.NONE);
      Files.readAllLines(Path.of("/proc/self/status")).stream()
          .filter(line -> line.startsWith("VmHWM") || line.startsWith("RssAnon"))
          .forEach(System.out::println);
    }
  }
}
