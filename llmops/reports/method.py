"""The statistics of a verdict on one page, for readers who are no statisticians."""

from __future__ import annotations

from llmops.reports.phrase import Phrase

# (heading, what it means): kept in step with llmops/docs/en/explanation/statistics.md by hand.
METHOD: tuple[tuple[Phrase, Phrase], ...] = (
    (
        Phrase("Why a number alone does not decide", "为什么不能只看一个数字"),
        Phrase(
            "The test cases are a sample. If 240 of 300 answers are right, the share on this "
            "sample is 0.80, but the true share may be lower. A gate therefore asks whether the "
            "cases show the claim, and it has three answers: shown (passed), refuted (failed), or "
            "neither (inconclusive). Inconclusive does not pass.",
            "测试用例只是样本。300 个回答中有 240 个正确，样本比例是 0.80，而真实比例可能更低。"
            "因此门禁要问的是：这些用例能否证明要求成立。答案有三种：证明成立（通过）、"
            "证明不成立（未通过）、两者都不能证明（无法判定）。无法判定不算通过。",
        ),
    ),
    (
        Phrase("The number alone, or its bound", "看实测值，还是看置信限"),
        Phrase(
            "A rule that asks for “at least 0.90” can be read literally: 180 right answers of 200 "
            "are enough. A system that is truly at 0.88 passes this way in 23 of 100 samples, and "
            "within ten tries in 92. Read by its bound, it passes in fewer than 1 of 100. Both "
            "readings stand in the table; the policy of the target branch says which one decides.",
            "规定要求“不低于 0.90”，照字面理解，200 个回答中有 180 个正确即可。"
            "真实水平为 0.88 的系统，这样判读时 100 次抽样中有 23 次通过，"
            "试十次则有 92 % 的机会至少通过一次；"
            "按置信限判读，100 次中通过不到 1 次。两种判读都列在表中，"
            "以哪一种为准由目标分支的策略决定。",
        ),
    ),
    (
        Phrase("Two families of gates", "两类门禁"),
        Phrase(
            "Some gates must prove something: the claim holds. All of them have to pass, so a "
            "system that misses any one of them gets through with a probability of at most 5 %, "
            "however many there are. Others detect something: a loss, or a gap between groups. "
            "Each of those could raise a false alarm, so they are corrected together, and one that "
            "finds nothing either way warns. What is let through like that is listed as not "
            "shown.",
            "一类门禁需要证明：要求成立。此类门禁必须全部通过，因此无论有多少项，"
            "只要有一项实际不达标，系统过关的概率就不超过 5 %。"
            "另一类门禁用于发现问题：退步或组间差距。每一项都可能误报，所以合并校正；两个方向都不能证明的给出警告。"
            "这样放行的内容全部列入“未得到证明的内容”。",
        ),
    ),
    (
        Phrase("Shares of right answers", "正确率一类的比例"),
        Phrase(
            "A lower bound for the true share is computed (Clopper and Pearson, 1934). It is too "
            "high in at most 5 of 100 samples, or fewer where the policy asks for less. The gate "
            "passes when this bound reaches the minimum, and fails when the upper bound stays "
            "below it. For a maximum it is the other way round.",
            "先计算真实比例的置信下限（Clopper–Pearson 方法，1934 年）。在 100 次抽样中，"
            "该下限偏高的情况至多 5 次；策略要求更严时次数更少。下限达到最低要求，门禁通过；"
            "上限仍低于最低要求，门禁不通过。要求为“不高于”时，方向相反。",
        ),
    ),
    (
        Phrase("Scores between two ends", "有上下界的评分"),
        Phrase(
            "Scores that are not simply right or wrong are tested by betting. If a claim is false, "
            "somebody who bets on it case by case turns 1 into 20 with a probability of at most "
            "5 %; whoever gets that far has shown the claim. This holds for any number of cases "
            "and any distribution within the range.",
            "不能简单判为对错的评分，采用“下注检验”：设想有人逐个用例押注要求成立，若要求其实不成立，"
            "其本金增至 20 倍的概率不超过 5 %；因此一旦达到 20 倍，即可认为要求得到证明。"
            "只要评分在规定范围内，这一结论对任何用例数、任何分布都成立。",
        ),
    ),
    (
        Phrase("Percentiles, such as waiting times", "分位数，例如等待时间"),
        Phrase(
            "“95 of 100 answers come within 500 ms” is a claim on a share: at least 95 % of the "
            "times are at most 500 ms. It is tested like any other share, whatever the times look "
            "like. At least 59 cases are needed, and 299 for 99 of 100.",
            "“100 个回答中有 95 个在 500 毫秒内返回”是对比例的要求："
            "至少 95 % 的耗时不超过 500 毫秒。"
            "它与其他比例用同样的方法检验，不要求耗时服从任何分布。至少需要 59 个用例；"
            "若要求 100 个中有 99 个，则至少需要 299 个。",
        ),
    ),
    (
        Phrase("Several attempts", "多次尝试"),
        Phrase(
            "Whoever may try again until it works will get through in the end. So the error rate "
            "belongs to the claim, not to the run: with three attempts the first is tested at a "
            "half of it, the second and third at a quarter each. Adding cases is an attempt too, "
            "tested on the old and new cases together. A run on somebody's own machine is not "
            "counted, has the whole error rate, and is never enough to merge or to release.",
            "如果可以反复尝试直到成功，最后总能过关。因此错误率属于要求本身，而不属于某一次运行："
            "允许三次时，第一次用一半，第二、三次各用四分之一。增加用例也算一次尝试，新旧用例合并检验。"
            "在个人机器上运行不计次数，可用全部错误率，但不能据此合并或发布。",
        ),
    ),
    (
        Phrase("Answers that a model judges", "由模型评分的回答"),
        Phrase(
            "A judging model errs in both directions. People rate some of the same answers, and "
            "from those follow how often it passes good answers and fails bad ones, with bounds of "
            "their own. The bound on the claim allows for all of it. Known answers ride along in "
            "each batch; where the judge gets too many of them wrong, the batch decides nothing.",
            "评分的模型会往两个方向出错。人工为其中一部分回答评级，由此得出它把好回答判为合格、"
            "把差回答判为不合格的比例及各自的置信限，要求的置信限把这些误差全部计入。"
            "每一批中都混有答案已知的对照题；判错过多时，这一批不能作出任何判定。",
        ),
    ),
    (
        Phrase("Compared with the target branch", "与目标分支比较"),
        Phrase(
            "Both systems answer the same cases, and the difference is taken case by case. The "
            "gate fails when the cases show a loss larger than the margin, passes when they show "
            "that there is none, and warns when they show neither. Where several such gates are "
            "judged together, Holm's correction keeps the chance of any false alarm at 5 %.",
            "两个系统回答同一组用例，并逐个用例计算差值。用例证明退步超过允许幅度，门禁不通过；"
            "证明没有超过，门禁通过；两者都不能证明，给出警告。多项此类门禁同时判定时，"
            "采用 Holm 校正，使误报的总概率不超过 5 %。",
        ),
    ),
    (
        Phrase("Cases without a valid result", "没有有效结果的用例"),
        Phrase(
            "A case whose measurement failed is never dropped. More of them than the evaluation "
            "allows make the gate inconclusive; those that are allowed count as the worst value.",
            "测量失败的用例不会被剔除。数量超过评测允许的范围，门禁即无法判定；在允许范围内的，按最差值计。",
        ),
    ),
    (
        Phrase("Which cases are asked", "用例如何选取"),
        Phrase(
            "The order of cases follows from a digest of their content. It depends on neither the "
            "model nor the commit, so nobody can draw again until the result pleases.",
            "用例顺序由其内容的摘要值决定，与模型和提交都无关，因此不能反复抽取直到结果令人满意。",
        ),
    ),
    (
        Phrase("What the numbers do not say", "数字不能说明什么"),
        Phrase(
            "They speak about cases like these, and only if one case does not depend on another. "
            "The intervals are two-sided 95 %; a gate uses its own one-sided bound. A report is "
            "evidence for a decision by people; it is not the decision.",
            "数字只对类似的用例成立，并且要求各用例互不依赖。表中的区间为双侧 95 %，"
            "门禁使用各自的单侧置信限。报告是供人决策的证据，不能代替决策本身。",
        ),
    ),
)
