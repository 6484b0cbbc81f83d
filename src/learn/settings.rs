// SPDX-License-Identifier: GPL-2.0-only
//! What can be set about learning while it goes on, and changes to it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::avg::Avg;
use super::bias::BiasFactor;
use super::ewma::Ewma;
use super::following::LoadFactor;
use super::forest::Forest;
use super::gittins::{Gittins, Objective};
use super::learner::Learner;
use super::linear::Linear;
use super::param::ParamError;
use super::predictor::Predictor;
use super::tuning::TuningParams;

/// The predictors there are, by the names of the published flag `--ml`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// The mean of what was seen.
    Avg,
    /// Linear regression over the series.
    Lr,
    /// Exponentially weighted moving average.
    Ewma,
    /// Random forest.
    Rf,
    /// The Gittins index of the function's own distribution, the default:
    /// docs/evidence.md shows why.
    #[default]
    Gittins,
}

impl Method {
    pub const ALL: [Self; 5] = [Self::Avg, Self::Lr, Self::Ewma, Self::Rf, Self::Gittins];

    /// The predictor; the objective matters to `gittins` only.
    pub fn predictor(self, objective: Objective) -> Box<dyn Predictor> {
        match self {
            Self::Avg => Box::new(Avg),
            Self::Lr => Box::new(Linear),
            Self::Ewma => Box::new(Ewma),
            Self::Rf => Box::new(Forest),
            Self::Gittins => Box::new(Gittins { objective }),
        }
    }

    /// What users choose it by.
    pub fn name(self) -> &'static str {
        match self {
            Self::Avg => "avg",
            Self::Lr => "LR",
            Self::Ewma => "EWMA",
            Self::Rf => "RF",
            Self::Gittins => "gittins",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

impl FromStr for Method {
    type Err = UnknownName;

    /// Any case; `EWMV`, as the published code has it, is `EWMA`.
    fn from_str(name: &str) -> Result<Self, UnknownName> {
        if name.eq_ignore_ascii_case("EWMV") {
            return Ok(Self::Ewma);
        }
        let called = |method: &Self| method.name().eq_ignore_ascii_case(name);
        Self::ALL.into_iter().find(called).ok_or_else(|| {
            let known = Self::ALL.map(Self::name).join(", ");
            UnknownName::new("predictor", name, known)
        })
    }
}

impl FromStr for Objective {
    type Err = UnknownName;

    /// Any case.
    fn from_str(name: &str) -> Result<Self, UnknownName> {
        let called = |objective: &Self| objective.name().eq_ignore_ascii_case(name);
        Self::ALL.into_iter().find(called).ok_or_else(|| {
            let known = Self::ALL.map(Self::name).join(", ");
            UnknownName::new("objective", name, known)
        })
    }
}

/// A name that is none of those there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownName {
    kind: &'static str,
    name: String,
    known: String,
}

impl UnknownName {
    fn new(kind: &'static str, name: &str, known: String) -> Self {
        let name = name.to_owned();
        Self { kind, name, known }
    }
}

impl fmt::Display for UnknownName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, name, known } = self;
        write!(out, "there is no {kind} '{name}': it is one of {known}")
    }
}

impl std::error::Error for UnknownName {}

/// All that can be set about learning while it goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Settings {
    pub method: Method,
    /// What `gittins` keeps small.
    pub objective: Objective,
    /// Bias for each unit of remaining CPU time.
    pub bias_factor: BiasFactor,
    /// How that follows the load.
    pub load_factor: LoadFactor,
    /// The fine-tuning of slices.
    pub tuning: TuningParams,
}

/// A change of settings: what is `None` stays as it is.
///
/// Names are those of the command line. Numbers are kept as they were given
/// and are checked when the change is applied.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Change {
    pub ml: Option<String>,
    pub objective: Option<String>,
    pub alpha: Option<f64>,
    pub beta: Option<f64>,
    pub theta: Option<f64>,
    pub gamma: Option<f64>,
    /// Whether unpredictable functions' slices are tuned.
    pub unpred: Option<bool>,
    /// Whether slices are tuned for overload.
    pub overload: Option<bool>,
    pub bias_factor: Option<f64>,
    pub load_factor: Option<f64>,
}

impl Change {
    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Why a change is refused.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    Name(UnknownName),
    Param(ParamError),
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(error) => error.fmt(out),
            Self::Param(error) => error.fmt(out),
        }
    }
}

impl std::error::Error for Refusal {}

impl From<UnknownName> for Refusal {
    fn from(error: UnknownName) -> Self {
        Self::Name(error)
    }
}

impl From<ParamError> for Refusal {
    fn from(error: ParamError) -> Self {
        Self::Param(error)
    }
}

impl Settings {
    /// These settings with a change made to them.
    ///
    /// # Errors
    /// Says what is wrong with the first value that is; then nothing is changed.
    pub fn changed(&self, change: &Change) -> Result<Self, Refusal> {
        let mut changed = *self;
        if let Some(name) = &change.ml {
            changed.method = name.parse()?;
        }
        if let Some(name) = &change.objective {
            changed.objective = name.parse()?;
        }
        if let Some(factor) = change.bias_factor {
            changed.bias_factor = BiasFactor::new(factor)?;
        }
        if let Some(factor) = change.load_factor {
            changed.load_factor = LoadFactor::new(factor)?;
        }
        let own = &self.tuning;
        changed.tuning = TuningParams::new(
            change.alpha.unwrap_or(own.alpha()),
            change.beta.unwrap_or(own.beta()),
            change.theta.unwrap_or(own.theta()),
            change.gamma.unwrap_or(own.gamma()),
        )?
        .with_unpredictability(change.unpred.unwrap_or(own.tunes_unpredictability()))
        .with_overload(change.overload.unwrap_or(own.tunes_overload()));
        Ok(changed)
    }

    /// The predictor that is set.
    pub fn predictor(&self) -> Box<dyn Predictor> {
        self.method.predictor(self.objective)
    }

    /// What it is called, with what it keeps small where there is a choice.
    pub fn predictor_name(&self) -> String {
        match self.method {
            Method::Gittins => format!("{} for {}", self.method, self.objective),
            method => method.to_string(),
        }
    }

    /// Has a learner that learns by `before` learn by these settings from its
    /// next round on.
    pub fn apply(&self, before: &Self, learner: &mut Learner) {
        if (self.method, self.objective) != (before.method, before.objective) {
            learner.set_predictor(self.predictor());
        }
        learner.set_bias_factor(self.bias_factor);
        learner.set_load_factor(self.load_factor);
        learner.set_tuning(self.tuning);
    }

    /// The change that makes these settings of any others.
    pub fn as_change(&self) -> Change {
        Change {
            ml: Some(self.method.to_string()),
            objective: Some(self.objective.to_string()),
            alpha: Some(self.tuning.alpha()),
            beta: Some(self.tuning.beta()),
            theta: Some(self.tuning.theta()),
            gamma: Some(self.tuning.gamma()),
            unpred: Some(self.tuning.tunes_unpredictability()),
            overload: Some(self.tuning.tunes_overload()),
            bias_factor: Some(self.bias_factor.get()),
            load_factor: Some(self.load_factor.get()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn predictors_are_found_by_their_published_names_in_any_case() {
        for (name, method) in [
            ("avg", Method::Avg),
            ("AVG", Method::Avg),
            ("LR", Method::Lr),
            ("lr", Method::Lr),
            ("Ewma", Method::Ewma),
            ("EWMV", Method::Ewma),
            ("rf", Method::Rf),
            ("Gittins", Method::Gittins),
        ] {
            assert_eq!(name.parse(), Ok(method));
        }
        for method in Method::ALL {
            let predictor = method.predictor(Objective::Response);
            assert_eq!(predictor.name(), method.name());
        }
        assert_eq!(
            "svm".parse::<Method>().unwrap_err().to_string(),
            "there is no predictor 'svm': it is one of avg, LR, EWMA, RF, gittins"
        );
    }

    #[test]
    fn only_what_is_given_changes() {
        let before = Settings::default();
        let change = Change {
            ml: Some("GITTINS".to_owned()),
            objective: Some("slowdown".to_owned()),
            alpha: Some(1.5),
            bias_factor: Some(8.0),
            overload: Some(false),
            ..Change::default()
        };
        let after = before.changed(&change).unwrap();
        assert_eq!(after.method, Method::Gittins);
        assert_eq!(after.objective, Objective::Slowdown);
        assert_eq!((after.tuning.alpha(), after.tuning.beta()), (1.5, 1.0));
        assert_eq!(after.bias_factor.get(), 8.0);
        assert!(after.tuning.tunes_unpredictability() && !after.tuning.tunes_overload());
        assert_eq!(before.changed(&Change::default()), Ok(before));
        assert!(Change::default().is_empty() && !change.is_empty());
    }

    #[test]
    fn a_refusal_says_why() {
        let refused = |change| {
            Settings::default()
                .changed(&change)
                .unwrap_err()
                .to_string()
        };
        let wrong = |alpha| Change {
            alpha: Some(alpha),
            ..Change::default()
        };
        assert!(refused(wrong(-1.0)).starts_with("alpha is -1"));
        assert!(refused(wrong(f64::NAN)).starts_with("alpha is NaN"));
        let both = Change {
            ml: Some("gittins".to_owned()),
            bias_factor: Some(0.0),
            ..Change::default()
        };
        assert!(refused(both).starts_with("bias factor is 0"));
        let objective = Change {
            objective: Some("fame".to_owned()),
            ..Change::default()
        };
        assert_eq!(
            refused(objective),
            "there is no objective 'fame': it is one of response, slowdown"
        );
    }

    #[test]
    fn keys_that_are_none_are_refused() {
        assert!(serde_json::from_str::<Change>(r#"{"alfa": 1}"#).is_err());
        assert!(serde_json::from_str::<Change>("{}").unwrap().is_empty());
    }

    proptest! {
        #[test]
        fn settings_survive_being_told(
            method in 0usize..5,
            slowdown: bool,
            // Eighths, which decimal numbers tell exactly.
            eighths in (0u16..100, 0u16..800, 1u16..1000),
            (unpred, overload) in any::<(bool, bool)>(),
        ) {
            let eighths = [eighths.0, eighths.1, eighths.2].map(|eighths| f64::from(eighths) / 8.0);
            let [alpha, theta, factor] = eighths;
            let change = Change {
                ml: Some(Method::ALL[method].to_string()),
                objective: Some(Objective::ALL[usize::from(slowdown)].to_string()),
                alpha: Some(alpha),
                theta: Some(theta),
                bias_factor: Some(factor),
                load_factor: Some(factor),
                unpred: Some(unpred),
                overload: Some(overload),
                ..Change::default()
            };
            let settings = Settings::default().changed(&change).unwrap();
            let text = serde_json::to_string(&settings.as_change()).unwrap();
            let told: Change = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(Settings::default().changed(&told), Ok(settings));
        }
    }
}
