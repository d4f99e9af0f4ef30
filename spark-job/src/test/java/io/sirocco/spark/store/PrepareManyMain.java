package io.sirocco.spark.store;

import io.sirocco.checkpoint.ModelException;
import io.sirocco.prepared.PreparedFolder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Random;
import org.apache.spark.SparkConf;

/**
 * Another process of the host: opens, prepares where need be, checks and closes weights of one of a
 * few models after the other, and says {@code found F made M refused R}, or what was wrong.
 *
 * <p>Arguments: the seed, the rounds, the number of models.
 */
final class PrepareManyMain {
  private static final int SIZE = 200_000;
  private static final int WEIGHTS = 5;

  private PrepareManyMain() {}

  public static void main(String[] arguments) throws IOException {
    CacheSettings settings = CacheSettings.of(new SparkConf());
    Random random = new Random(Long.parseLong(arguments[0]));
    int rounds = Integer.parseInt(arguments[1]);
    int found = 0;
    int made = 0;
    int refused = 0;
    for (int round = 0; round < rounds; round++) {
      int model = random.nextInt(Integer.parseInt(arguments[2]));
      try (PreparedFolder weights =
          PrepareMain.open(settings, "model" + model, WEIGHTS * (SIZE + 100L))) {
        for (int weight = 0; weight < WEIGHTS; weight++) {
          byte value = (byte) (1 + model * WEIGHTS + weight);
          require(weights, "weight" + weight, value);
        }
        weights.complete();
        found += weights.made().bytes() == 0 ? 1 : 0;
        made += weights.made().bytes() == 0 ? 0 : 1;
      } catch (ModelException e) {
        if (!e.getMessage().contains("models in use take")) {
          throw e;
        }
        refused++;
      }
    }
    System.out.println("found " + found + " made " + made + " refused " + refused);
  }

  private static void require(PreparedFolder weights, String name, byte value) {
    ByteBuffer mapped =
        (ByteBuffer)
            weights
                .get(
                    name,
                    SIZE,
                    into -> {
                      while (into.hasRemaining()) {
                        into.put(value);
                      }
                    })
                .owner();
    for (int at = 0; at < SIZE; at++) {
      if (mapped.get(at) != value) {
        throw new IllegalStateException(name + " has " + mapped.get(at) + " at " + at);
      }
    }
  }
}
