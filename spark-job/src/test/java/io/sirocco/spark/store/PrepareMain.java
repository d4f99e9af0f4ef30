package io.sirocco.spark.store;

import io.sirocco.prepared.PreparedFolder;
import io.sirocco.prepared.PreparedPlace;
import java.io.IOException;
import java.nio.file.Path;
import org.apache.spark.SparkConf;

/**
 * Another process of the host: prepares weights of a model, says {@code prepared BYTES}, which it
 * made, or {@code failed MESSAGE}, and keeps them open until a line comes in.
 *
 * <p>Arguments: the model, and how many weights of how many bytes.
 */
final class PrepareMain {
  private PrepareMain() {}

  public static void main(String[] arguments) throws IOException {
    CacheSettings settings = CacheSettings.of(new SparkConf());
    int count = Integer.parseInt(arguments[1]);
    int size = Integer.parseInt(arguments[2]);
    try (PreparedFolder weights = open(settings, arguments[0], (long) count * size)) {
      for (int number = 0; number < count; number++) {
        byte value = (byte) number;
        weights.get("weight" + number, size, into -> into.put(size - 1, value));
      }
      weights.complete();
      System.out.println("prepared " + weights.made().bytes());
      int line = System.in.read();
      System.out.println(line < 0 ? "left" : "told to end");
    } catch (RuntimeException e) {
      System.out.println("failed " + e.getMessage());
    }
  }

  static PreparedFolder open(CacheSettings settings, String model, long bytes) {
    Path root = settings.folder().resolve(CacheSettings.PREPARED);
    return PreparedFolder.open(
        new PreparedPlace(root, model), PreparedCache.keeping(settings), bytes);
  }
}
