#include "tools/load/report/bootstrap.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "tools/load/report/summary.hh"

namespace load::report {
namespace {

using Figures = std::array<double, kComparedFigures>;

// One interval, with its histogram reduced to buckets that hold something.
struct Piece {
  double seconds = 0;
  double messages = 0;
  double cpu_seconds = 0;
  std::vector<std::pair<std::size_t, std::uint64_t>> buckets;  // index in Course::ends
};

// The measured intervals of a run, over the buckets that any of them has.
struct Course {
  std::vector<Piece> pieces;
  std::vector<double> ends;  // ns, ascending
};

bool is_measured(const Result& result, const Interval& interval) {
  return interval.length.count() > 0 && interval.phase < result.phases.size() &&
         !is_ramp(result.phases[interval.phase]);
}

Course course_of(const Result& result) {
  Course course;
  Histogram all;
  for (const Interval& one : result.intervals) {
    if (is_measured(result, one)) all.merge(one.rtt);
  }
  std::vector<std::size_t> used;
  for (std::size_t bucket = 0; bucket < Histogram::kBuckets; ++bucket) {
    if (all.in_bucket(bucket) == 0) continue;
    used.push_back(bucket);
    course.ends.push_back(static_cast<double>(Histogram::end_of(bucket)));
  }
  for (const Interval& one : result.intervals) {
    if (!is_measured(result, one)) continue;
    Piece piece{.seconds = std::chrono::duration<double>(one.length).count(),
                .messages = static_cast<double>(answers_or_deliveries(result, one.counts)),
                .cpu_seconds = one.watched_cpu_seconds};
    for (std::size_t i = 0; i < used.size(); ++i) {
      const std::uint64_t count = one.rtt.in_bucket(used[i]);
      if (count > 0) piece.buckets.emplace_back(i, count);
    }
    course.pieces.push_back(std::move(piece));
  }
  return course;
}

// Sums of a draw; the memory is used again by the next one.
class Draw {
 public:
  explicit Draw(const Course& course) : course_(course), counts_(course.ends.size()) {}

  void begin() {
    std::fill(counts_.begin(), counts_.end(), 0);
    seconds_ = messages_ = cpu_seconds_ = values_ = 0;
  }
  void add(const Piece& piece) {
    seconds_ += piece.seconds;
    messages_ += piece.messages;
    cpu_seconds_ += piece.cpu_seconds;
    for (const auto& [bucket, count] : piece.buckets) {
      counts_[bucket] += static_cast<double>(count);
      values_ += static_cast<double>(count);
    }
  }
  // Zero where there is none.
  Figures figures() const {
    return {seconds_ > 0 ? messages_ / seconds_ : 0, quantile(0.5), quantile(0.99),
            quantile(0.999), messages_ > 0 ? cpu_seconds_ * 1e9 / messages_ : 0};
  }

 private:
  double quantile(double share) const {
    double seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen > 0 && seen >= share * values_) return course_.ends[i];
    }
    return 0;
  }

  const Course& course_;
  std::vector<double> counts_;
  double seconds_ = 0;
  double messages_ = 0;
  double cpu_seconds_ = 0;
  double values_ = 0;
};

Figures figures_of_all(const Course& course) {
  Draw draw(course);
  draw.begin();
  for (const Piece& piece : course.pieces) draw.add(piece);
  return draw.figures();
}

// Long enough for neighbours that are alike, short enough that there are several.
std::size_t block_of(std::size_t pieces) {
  return static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(pieces))));
}

// What 99.5 % of a normal distribution is below.
constexpr double kNormal = 2.5758;

// The same of Student's t over that of the normal distribution, by the expansion of Cornish and
// Fisher.
double widening_of(std::size_t pieces) {
  const double freedom = std::max(static_cast<double>(pieces / block_of(pieces)) - 1, 1.0);
  const double z = kNormal;
  const double first = (std::pow(z, 3) + z) / 4;
  const double second = (5 * std::pow(z, 5) + 16 * std::pow(z, 3) + 3 * z) / 96;
  return (z + first / freedom + second / (freedom * freedom)) / z;
}

// Blocks of neighbours, the last followed by the first, until there are as many as in the run.
std::vector<Figures> draws_of(const Course& course, std::mt19937_64& random) {
  const std::size_t size = course.pieces.size();
  const std::size_t block = block_of(size);
  std::vector<Figures> figures;
  Draw draw(course);
  for (std::size_t i = 0; i < kDraws; ++i) {
    draw.begin();
    for (std::size_t taken = 0; taken < size;) {
      const std::size_t start = random() % size;
      for (std::size_t k = 0; k < block && taken < size; ++k, ++taken) {
        draw.add(course.pieces[(start + k) % size]);
      }
    }
    figures.push_back(draw.figures());
  }
  return figures;
}

std::optional<Difference> difference_of(double first, double second, std::vector<double> changes,
                                        double widening) {
  if (!(first > 0) || !(second > 0) || changes.size() < kDraws / 2) return std::nullopt;
  std::sort(changes.begin(), changes.end());
  const auto at = [&](double share) {
    return changes[static_cast<std::size_t>(share * static_cast<double>(changes.size() - 1))];
  };
  const double change = second / first - 1;
  Difference difference{.first = first,
                        .second = second,
                        .change = change,
                        .change_low = change + std::min(at(0.005) - change, 0.0) * widening,
                        .change_high = change + std::max(at(0.995) - change, 0.0) * widening};
  const bool without_zero = difference.change_low > 0 || difference.change_high < 0;
  difference.beyond_noise = without_zero && std::abs(change) >= kChangeLeast;
  return difference;
}

}  // namespace

std::expected<Differences, std::string> compare(const Result& first, const Result& second) {
  const Course courses[2] = {course_of(first), course_of(second)};
  for (const bool is_second : {false, true}) {
    const std::size_t size = courses[is_second].pieces.size();
    if (size >= kIntervalsLeast) continue;
    return std::unexpected(fmt::format(
        "the {} run has {} measured intervals, and at least {} are needed to tell a difference "
        "from noise: let it run longer",
        is_second ? "second" : "first", size, kIntervalsLeast));
  }
  std::mt19937_64 random(20'240'607);
  const auto of_first = draws_of(courses[0], random);
  const auto of_second = draws_of(courses[1], random);
  const Figures all[2] = {figures_of_all(courses[0]), figures_of_all(courses[1])};
  const double widening = widening_of(std::min(courses[0].pieces.size(), courses[1].pieces.size()));
  Differences differences;
  for (std::size_t figure = 0; figure < kComparedFigures; ++figure) {
    std::vector<double> changes;
    for (std::size_t i = 0; i < kDraws; ++i) {
      const double base = of_first[i][figure];
      if (base > 0) changes.push_back(of_second[i][figure] / base - 1);
    }
    differences[figure] = difference_of(all[0][figure], all[1][figure], std::move(changes),
                                        widening);
  }
  return differences;
}

}  // namespace load::report
